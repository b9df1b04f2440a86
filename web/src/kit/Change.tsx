import type { ReactNode } from 'react'
import css from './Change.module.css'

interface Props {
  /** "+3.2%", "−2.8 pt" */
  text: string
  direction: 'up' | 'down' | 'level'
  tone: 'good' | 'bad' | 'flat'
  title?: string | undefined
  /** the movement is one of the usual size: the pill is hollow */
  usual?: boolean
}

const arrows = { up: '▲', down: '▼', level: '＝' }

/** Change is a movement with arrow, sign and colour: never colour alone. */
export function Change({ text, direction, tone, title, usual = false }: Props): ReactNode {
  return <span className={`${css['pill']} ${css[usual && tone !== 'flat' ? `usual-${tone}` : tone]} num`} title={title}>{direction !== 'level' && <span aria-hidden="true" className={css['arrow']}>{arrows[direction]}</span>}{text}</span>
}

export function Tag({ tone = 'quiet', title, children }: { tone?: 'quiet' | 'watch' | 'good' | 'bad' | 'accent'; title?: string; children: ReactNode }): ReactNode {
  return <span className={`${css['tag']} ${css[tone]}`} title={title}>{children}</span>
}
