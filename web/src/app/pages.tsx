import { IconBinaryTree2, IconBuilding, IconChecklist, IconCoin, IconFileImport, IconForms, IconHeartRateMonitor, IconLayoutKanban, IconListCheck, IconListDetails, IconRoute, IconSparkles, IconSun, IconTransfer, IconUsers, IconProgressCheck } from '@tabler/icons-react'
import type { ComponentType } from 'react'

/** A page as the navigation and the command menu name it. `href` is plain, since both lists are data. */
export interface PageLink {
  label: string
  href: string
  icon: ComponentType<{ size?: number | string; stroke?: number | string }>
  /** the object whose list it is, for pages that exist only where the registry has it */
  object?: string
  keys?: string
}

export const groups: { label: string; pages: PageLink[] }[] = [
  {
    label: 'Work',
    pages: [
      { label: 'Today', href: '/today', icon: IconSun, keys: 'G T' },
      { label: 'Pipeline', href: '/pipeline', icon: IconLayoutKanban, object: 'deal', keys: 'G P' },
      { label: 'Deals', href: '/deals', icon: IconCoin, object: 'deal', keys: 'G D' },
      { label: 'Accounts', href: '/records/account', icon: IconBuilding, object: 'account', keys: 'G A' },
      { label: 'Contacts', href: '/records/contact', icon: IconUsers, object: 'contact' },
      { label: 'Leads', href: '/leads', icon: IconSparkles, object: 'lead', keys: 'G L' },
      { label: 'Handoffs', href: '/handoffs', icon: IconTransfer },
      { label: 'Tasks', href: '/tasks', icon: IconChecklist, object: 'task', keys: 'G K' },
    ],
  },
  { label: 'Understand', pages: [{ label: 'Weekly review', href: '/review', icon: IconBinaryTree2, keys: 'G R' }] },
  {
    label: 'Manage',
    pages: [
      { label: 'Forms', href: '/admin/forms', icon: IconForms },
      { label: 'Assignment', href: '/admin/assignment', icon: IconRoute },
      { label: 'Imports', href: '/imports', icon: IconFileImport, keys: 'G I' },
      { label: 'Pipelines and stages', href: '/admin/stages', icon: IconListCheck, object: 'stage' },
      { label: 'Fields', href: '/admin/fields', icon: IconListDetails, keys: 'G F' },
      { label: 'Jobs', href: '/admin/jobs', icon: IconProgressCheck, keys: 'G J' },
      { label: 'System', href: '/admin/system', icon: IconHeartRateMonitor, keys: 'G S' },
    ],
  },
]
