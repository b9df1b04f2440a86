import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { sentence } from '../../api/problem'
import { useFormat } from '../../app/session'
import { DataTable, useAsTable } from '../../kit/AsTable'
import { Card } from '../../kit/Card'
import { Dialog } from '../../kit/Dialog'
import { Bridge } from './Bridge'
import type { Tree } from './contract'
import { Lede } from './Lede'
import { NodePanel } from './NodePanel'
import { leading, rootOf } from './layout'
import { changeWords, targetText } from './TreeCard'
import { TreeView } from './TreeView'
import css from './View.module.css'

interface Props {
  tree: Tree
  /** the selected node; '' for the one to look at first */
  node: string
  folded: ReadonlySet<string>
  /** older data while newer comes */
  stale: boolean
  onNode: (id: string) => void
  onFold: (id: string, fold: boolean) => void
}

/** ReviewView draws a week's tree: the answer, its drivers, one driver in full, and the way from before to now. */
export function ReviewView({ tree, node, folded, stale, onNode, onFold }: Props): ReactNode {
  const root = rootOf(tree)
  const chosen = tree.nodes.find((each) => each.id === node) ?? tree.nodes.find((each) => each.id === leading(tree)) ?? root
  const { asTable, button } = useAsTable()
  if (root === undefined || chosen === undefined) return null
  return (
    <>
      {tree.provisional && <p className={css['provisional']} role="status"><strong>Provisional.</strong> {tree.provisionalReason || 'Not every source is in yet.'}</p>}
      {tree.warnings.length > 0 && <p className={css['provisional']} role="status">{tree.warnings.map(sentence).join(' ')}</p>}
      <Lede tree={tree} onNode={onNode} />
      <div className={css['grid']}>
        <Card title={`What drives ${root.label.toLowerCase()}`} stale={stale} className={css['tree']}
          aside={<><span className={css['legend']}>line width = share of the change · dashes = target · hollow = usual</span><Definition tree={tree} />{button}</>}>
          {asTable ? <TreeTable tree={tree} /> : <TreeView tree={tree} selected={chosen.id} folded={folded} onSelect={onNode} onFold={onFold} />}
        </Card>
        <div className={css['panel']}><NodePanel key={chosen.id} tree={tree} node={chosen} stale={stale} /></div>
        <div className={css['bridge']}><Bridge tree={tree} stale={stale} onNode={onNode} /></div>
      </div>
    </>
  )
}

function TreeTable({ tree }: { tree: Tree }): ReactNode {
  const format = useFormat()
  const root = rootOf(tree)
  if (root === undefined) return null
  return (
    <DataTable caption={`${tree.label}, all drivers`} head={['Driver', 'Now', 'Before', 'Change', `Effect on ${root.label.toLowerCase()}`, 'Target', 'Reached']}
      rows={tree.nodes.map((node) => [
        node.label, format.exact(node.unit, node.now), format.exact(node.unit, node.before), node.now === null ? '' : changeWords(node, format),
        format.signedExact(root.unit, node.contribution), format.exact(node.unit, node.target), targetText(node, format),
      ])} />
  )
}

function Definition({ tree }: { tree: Tree }): ReactNode {
  const [open, setOpen] = useState(false)
  const format = useFormat()
  return (
    <>
      <Button size="compact-xs" variant="subtle" onClick={() => setOpen(true)}>Definition</Button>
      {open && (
        <Dialog title={`${tree.label}: what the numbers mean`} onClose={() => setOpen(false)} width={640}>
          <dl className={css['definitions']}>
            {tree.nodes.map((node) => (
              <div key={node.id}><dt>{node.label}</dt><dd>{node.definition}{node.formula !== '' && <><br /><span className="dim">= {node.formula}</span></>}</dd></div>
            ))}
          </dl>
          <p className="dim">
            A contribution is the part of the change that a driver brought, in the order-free (Shapley) way: on every level the contributions add up to the whole change to the cent.
            A week has seven calendar days on the clock of {tree.zone}. A hollow mark is a change inside the usual range of the last 13 weeks.
            As of {format.instant(tree.asOf.toldAt)}, position {format.whole(tree.asOf.position)} of the change log.
          </p>
        </Dialog>
      )}
    </>
  )
}
