import { IconCalendarEvent, IconMail, IconMessage, IconNote, IconPhone } from '@tabler/icons-react'

/** The sign of each type of activity. */
export const activityIcons: Record<string, typeof IconPhone> = { call: IconPhone, email: IconMail, meeting: IconCalendarEvent, note: IconNote, message: IconMessage }
