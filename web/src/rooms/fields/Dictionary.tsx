import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { Empty } from '../../kit/states'
import { listPath } from '../records/names'
import { OptionDialog } from './OptionDialog'
import css from './Page.module.css'

/** Dictionary shows the objects, or the fields that the search or the chosen object asks for. */
export function Dictionary({ objects, q, chosen }: { objects: ObjectInfo[]; q: string; chosen: string }): ReactNode {
  const [amended, setAmended] = useState<{ object: ObjectInfo; field: FieldInfo }>()
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== '')
  const matches = (object: ObjectInfo, field: FieldInfo): boolean => {
    const text = `${object.name} ${object.label} ${field.name} ${field.label} ${field.help} ${field.kind} ${field.owner ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  if (chosen === '' && words.length === 0) return <Objects objects={objects} />
  const found = objects.filter((object) => chosen === '' || object.name === chosen)
    .map((object) => ({ object, fields: object.fields.filter((field) => matches(object, field)) })).filter(({ fields }) => fields.length > 0)
  if (found.length === 0) return <Card title="Fields"><Empty title="Nothing fits">Try fewer words, or another object.</Empty></Card>
  return (
    <>
      {found.map(({ object, fields }) => (
        <Card key={object.name} flush title={<>{object.label}{object.custom === true && <> <Tag tone="accent">added here</Tag></>}</>} aside={<Link to={listPath(object.name)}>Open the list</Link>}>
          {object.help !== '' && <p className={css['help']}>{object.help}{object.owner !== undefined && object.owner !== '' && ` ${object.owner} answers for it.`}</p>}
          <Fields object={object} fields={fields} onAmend={(field) => setAmended({ object, field })} />
        </Card>
      ))}
      {amended !== undefined && <OptionDialog {...amended} onClose={() => setAmended(undefined)} />}
    </>
  )
}

function Objects({ objects }: { objects: ObjectInfo[] }): ReactNode {
  return (
    <Card title="Objects" aside={`${objects.length}`} flush>
      <div className={css['scroll']} role="group" aria-label="Objects" tabIndex={0}>
        <table className={css['table']}>
          <thead><tr><th scope="col">Object</th><th scope="col">Meaning</th><th scope="col">Owner</th><th scope="col" className={css['right']}>Fields</th></tr></thead>
          <tbody>
            {objects.map((object) => (
              <tr key={object.name}>
                <th scope="row"><Link from="/admin/fields" to="/admin/fields" search={{ object: object.name }}>{object.label}</Link>{object.custom === true && <> <Tag tone="accent">added here</Tag></>}<div className={css['name']}>{object.name}</div></th>
                <td className={css['wide']}>{object.help}</td>
                <td>{object.owner === '' ? '—' : object.owner}</td>
                <td className={`${css['right']} num`}>{object.fields.length}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

function Fields({ object, fields, onAmend }: { object: ObjectInfo; fields: FieldInfo[]; onAmend: (field: FieldInfo) => void }): ReactNode {
  const { me } = useSession()
  return (
    <div className={css['scroll']} role="group" aria-label={`Fields of ${object.label}`} tabIndex={0}>
      <table className={css['table']}>
        <thead><tr><th scope="col">Field</th><th scope="col">Kind</th><th scope="col">Meaning</th><th scope="col">Owner</th><th scope="col">Rules</th></tr></thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <th scope="row">{field.label}{field.custom === true && <> <Tag tone="accent">added here</Tag></>}<div className={css['name']}>{field.name}</div></th>
              <td>{kindWords(field)}</td>
              <td className={css['wide']}>
                {field.help === '' ? '—' : field.help}
                {field.formula !== undefined && field.formula !== '' && <div><code className={css['code']}>{field.formula}</code></div>}
                {field.options.length > 0 && <Options field={field} />}
                {field.options.length > 0 && !field.readOnly && mayWrite(me, 'administrator') && <Button size="compact-xs" variant="default" mt={6} onClick={() => onAmend(field)} aria-label={`Add an option or spelling to ${field.label}`}>Add an option or spelling</Button>}
              </td>
              <td>{field.owner === undefined || field.owner === '' ? object.owner === '' ? '—' : object.owner : field.owner}</td>
              <td>{rules(field)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Options({ field }: { field: FieldInfo }): ReactNode {
  return (
    <ul className={css['options']} aria-label={`Options of ${field.label}`}>
      {field.options.map((option) => (
        <li key={option.value} className={option.retired ? 'dim' : undefined}>
          {option.label}{option.label !== option.value && <span className={css['name']}> {option.value}</span>}{option.retired && ' (retired)'}
          {(option.aliases ?? []).length > 0 && <span className="dim"> = {(option.aliases ?? []).join(', ')}</span>}
        </li>
      ))}
    </ul>
  )
}

const kindNames: Record<string, string> = { text: 'Text', long_text: 'Long text', number: 'Number', money: 'Money', date: 'Date', instant: 'Date and time', picklist: 'Choice', multi_pick: 'Several choices', boolean: 'Yes or no', email: 'E-mail', phone: 'Telephone', url: 'Web address', country: 'Country', address: 'Address', reference: 'Link', file: 'File', formula: 'Formula', score: 'Score' }

export function kindName(kind: string): string {
  return kindNames[kind] ?? kind
}

function kindWords(field: FieldInfo): string {
  return field.kind === 'reference' ? `Link to ${field.to}` : kindName(field.kind)
}

function rules(field: FieldInfo): string {
  const said = [
    field.required ? 'required' : field.requiredFrom !== '' ? `required from ${field.requiredFrom}` : '',
    field.unique === true ? 'unique' : '', field.indexed ? 'indexed' : '', field.readOnly ? 'set by rules' : '',
  ].filter((each) => each !== '')
  return said.length === 0 ? '—' : said.join(', ')
}
