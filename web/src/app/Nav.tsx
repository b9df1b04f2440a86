import { Link, useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import css from './Nav.module.css'
import { groups } from './pages'

export function Nav(): ReactNode {
  const path = useLocation({ select: (location) => location.pathname })
  return (
    <nav className={css['nav']} aria-label="Main">
      {groups.map((group) => (
        <div key={group.label} className={css['group']}>
          <div className={css['label']} id={`nav-${group.label}`}>{group.label}</div>
          <ul className={css['list']} aria-labelledby={`nav-${group.label}`}>
            {group.pages.map(({ label, href, icon: Icon }) => {
              const here = path === href || path.startsWith(`${href}/`)
              return (
                <li key={href}>
                  <Link to={href} className={css['link']} aria-current={here ? 'page' : undefined}>
                    <Icon size={17} stroke={1.7} /> {label}
                  </Link>
                </li>
              )
            })}
          </ul>
        </div>
      ))}
    </nav>
  )
}
