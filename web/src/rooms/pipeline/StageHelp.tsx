import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import type { StageInWords } from './contract'
import css from './Page.module.css'

/** StageHelp says what a stage asks for, in words. */
export function StageHelp({ stage }: { stage: StageInWords }): ReactNode {
  const format = useFormat()
  const parts = [
    { title: 'To come in', help: stage.entryHelp, list: stage.entry },
    { title: 'To go on', help: stage.exitHelp, list: stage.exit },
    { title: 'Required from here on', help: '', list: stage.required },
  ].filter(({ list }) => list.length > 0)
  return (
    <>
      {stage.broken !== '' && <p className="bad">Nobody can move until this stage is mended: {stage.broken}</p>}
      {parts.length === 0 && <p>This stage asks for nothing.</p>}
      {parts.map(({ title, help, list }) => (
        <div key={title}>
          <p className={css['helpTitle']}>{title}</p>
          {help !== '' && <p>{help}</p>}
          <ul className={css['helpList']}>{list.map((each) => <li key={each}>{each}</li>)}</ul>
        </div>
      ))}
      {stage.ageLimitDays !== null && <p>Stale after {format.whole(stage.ageLimitDays)} days.</p>}
    </>
  )
}
