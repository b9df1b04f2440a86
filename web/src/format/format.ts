// How numbers, money and time are written. Everything goes through Intl in the workspace's locale, zone and currency;
// minus is U+2212; undefined is "—". Nothing here decides anything: it only writes what it is given.

export type Unit = 'money' | 'count' | 'share'

export interface Money {
  /** exact decimal text in major units: "1054.00" */
  amount: string
  currency: string
}

export interface Place {
  locale: string
  currency: string
  zone: string
}

export const undefinedMark = '—'

export interface Format {
  place: Place
  /** 508234.5 → "$508K": three significant digits */
  short(unit: Unit, value: number | null): string
  /** 508234.5 → "$508,234.50": every digit that the unit has */
  exact(unit: Unit, value: number | null): string
  /** 15900 → "+$15.9K", −0.028 → "−2.8 pt" (shares differ by points), 0 → "±$0" */
  signed(unit: Unit, value: number | null): string
  signedExact(unit: Unit, value: number | null): string
  /** 0.032 → "+3.2%" */
  signedPercent(ratio: number | null): string
  /** 0.97 → "97%" */
  percent(ratio: number | null): string
  /** The change from `before` to `now` as people say it: points for shares, percent for money and counts; null where there is none to say. */
  change(unit: Unit, now: number | null, before: number | null): string | null
  money(value: Money | null): string
  whole(value: number): string
  decimal(value: number, scale: number): string
  bytes(value: number): string
  /** "2017-06-26" → "26 Jun 2017" */
  date(day: string): string
  /** "2017-06-26" → "26 Jun" */
  dayMonth(day: string): string
  /** the seven days from `first`: "26 Jun – 2 Jul 2017" */
  week(first: string): string
  instant(at: string): string
  /** time only when it is today, else with the date */
  moment(at: string, now?: Date): string
  /** 5025 s → "1 h 24 min" */
  span(seconds: number): string
}

const day = 86_400_000

/** minus writes U+2212 for the hyphen that Intl uses in some locales. */
export function minus(text: string): string {
  return text.replaceAll('-', '−')
}

function utc(dayText: string): number {
  return Date.parse(`${dayText}T00:00:00Z`)
}

function known(zone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    return 'UTC'
  }
}

export function createFormat(given: Place): Format {
  const place = { ...given, zone: known(given.zone) }
  const { locale, currency, zone } = place
  const number = (options: Intl.NumberFormatOptions): Intl.NumberFormat => new Intl.NumberFormat(locale, options)
  const dates = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat(locale, options)

  const cash: Intl.NumberFormatOptions = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }
  const sign: Intl.NumberFormatOptions = { signDisplay: 'exceptZero' }
  const compact: Intl.NumberFormatOptions = { notation: 'compact', minimumSignificantDigits: 3, maximumSignificantDigits: 3 }
  const moneyShort = number({ ...cash, ...compact })
  const moneyShortSigned = number({ ...cash, ...compact, ...sign })
  const moneyWhole = number({ ...cash, maximumFractionDigits: 0, minimumFractionDigits: 0 })
  const moneyWholeSigned = number({ ...cash, ...sign, maximumFractionDigits: 0, minimumFractionDigits: 0 })
  const moneyExact = number(cash)
  const moneyExactSigned = number({ ...cash, ...sign })
  const countShort = number(compact)
  const countShortSigned = number({ ...compact, ...sign })
  const countExact = number({ maximumFractionDigits: 2 })
  const countExactSigned = number({ ...sign, maximumFractionDigits: 2 })
  const shareShort = number({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const shareExact = number({ style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const pointsShort = number({ ...sign, minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const pointsExact = number({ ...sign, minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const percentSigned = number({ style: 'percent', ...sign, minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const percentBig = number({ style: 'percent', ...sign, maximumFractionDigits: 0 })
  const percentPlain = number({ style: 'percent', maximumFractionDigits: 0 })
  const whole = number({ maximumFractionDigits: 0 })

  const date = dates({ day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
  const dayMonth = dates({ day: 'numeric', month: 'short', timeZone: 'UTC' })
  const instant = dates({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: zone })
  const clock = dates({ hour: '2-digit', minute: '2-digit', timeZone: zone })
  const dayInZone = new Intl.DateTimeFormat('en-CA', { timeZone: zone })

  const write = (formatter: Intl.NumberFormat, value: number): string => minus(formatter.format(value))

  function short(unit: Unit, value: number | null): string {
    if (value === null) return undefinedMark
    if (unit === 'share') return write(shareShort, value)
    if (unit === 'money') return write(Math.abs(value) >= 1000 ? moneyShort : Math.abs(value) >= 100 || value === 0 ? moneyWhole : moneyExact, value)
    return write(Math.abs(value) >= 10_000 ? countShort : countExact, value)
  }

  function signed(unit: Unit, value: number | null): string {
    if (value === null) return undefinedMark
    const zero = value === 0 ? '±' : ''
    if (unit === 'share') return `${zero}${write(pointsShort, value * 100)} pt`
    if (unit === 'money') return zero + write(Math.abs(value) >= 1000 ? moneyShortSigned : Math.abs(value) >= 100 || value === 0 ? moneyWholeSigned : moneyExactSigned, value)
    return zero + write(Math.abs(value) >= 10_000 ? countShortSigned : countExactSigned, value)
  }

  function signedPercent(ratio: number | null): string {
    if (ratio === null) return undefinedMark
    return write(Math.abs(ratio) >= 10 ? percentBig : percentSigned, ratio)
  }

  return {
    place,
    short,
    signed,
    signedPercent,
    exact(unit, value) {
      if (value === null) return undefinedMark
      return write(unit === 'money' ? moneyExact : unit === 'share' ? shareExact : countExact, value)
    },
    signedExact(unit, value) {
      if (value === null) return undefinedMark
      if (unit === 'share') return `${write(pointsExact, value * 100)} pt`
      return write(unit === 'money' ? moneyExactSigned : countExactSigned, value)
    },
    percent: (ratio) => (ratio === null ? undefinedMark : write(percentPlain, ratio)),
    change(unit, now, before) {
      if (now === null || before === null) return null
      if (unit === 'share') return signed('share', now - before)
      return before === 0 ? null : signedPercent((now - before) / Math.abs(before))
    },
    money(value) {
      if (value === null) return undefinedMark
      const exact = new Intl.NumberFormat(locale, { style: 'currency', currency: value.currency, currencyDisplay: 'narrowSymbol' })
      // ES2023 formats decimal text without a detour over floats; the cast only tells the checker that it is decimal.
      return minus(exact.format(value.amount as Intl.StringNumericLiteral))
    },
    whole: (value) => write(whole, value),
    decimal: (value, scale) => write(number({ maximumFractionDigits: scale }), value),
    bytes(value) {
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
      const step = value < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3))
      return number({ style: 'unit', unit: units[step] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: step === 0 ? 0 : 1 }).format(value / 1000 ** step)
    },
    date: (text) => date.format(utc(text)),
    dayMonth: (text) => dayMonth.format(utc(text)),
    week: (first) => date.formatRange(utc(first), utc(first) + 6 * day),
    instant: (at) => instant.format(new Date(at)),
    moment(at, now = new Date()) {
      const when = new Date(at)
      return dayInZone.format(when) === dayInZone.format(now) ? clock.format(when) : instant.format(when)
    },
    span(seconds) {
      const unit = (value: number, name: 'second' | 'minute' | 'hour' | 'day'): string =>
        number({ style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 0 }).format(value)
      if (seconds < 60) return unit(Math.round(seconds), 'second')
      if (seconds < 3600) return unit(Math.floor(seconds / 60), 'minute')
      if (seconds < 86_400) return `${unit(Math.floor(seconds / 3600), 'hour')} ${unit(Math.floor((seconds % 3600) / 60), 'minute')}`
      return unit(Math.floor(seconds / 86_400), 'day')
    },
  }
}

/** dayIn gives the calendar day of an instant on a clock in the zone: "2017-06-26". */
export function dayIn(zone: string, at: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: known(zone), year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

/** daysSince is how many whole days of 24 hours lie between an instant and now; 0 for one ahead. */
export function daysSince(at: string, now: Date = new Date()): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(at)) / day))
}

/** addDays moves a calendar day: addDays("2017-06-26", 7) = "2017-07-03". */
export function addDays(dayText: string, days: number): string {
  return new Date(utc(dayText) + days * day).toISOString().slice(0, 10)
}

/** initials of a name: "Jana Schmidt" → "JS". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter((word) => word !== '')
  const first = words[0] ?? ''
  const last = words.length > 1 ? words[words.length - 1] ?? '' : ''
  return (([...first][0] ?? '') + ([...last][0] ?? '')).toUpperCase()
}

/** zonedToInstant reads a wall-clock text ("2017-06-26T14:30") in the zone as an instant in ISO form; null if it is not one. */
export function zonedToInstant(zone: string, wall: string): string | null {
  const naive = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`)
  if (Number.isNaN(naive)) return null
  // Two rounds settle the offset on both sides of a clock change.
  let guess = naive
  for (let round = 0; round < 2; round++) guess = naive - offset(zone, guess)
  return new Date(guess).toISOString()
}

/** instantToZoned gives the wall-clock text of an instant: "2017-06-26T14:30". */
export function instantToZoned(zone: string, at: Date): string {
  return new Date(at.getTime() + offset(zone, at.getTime())).toISOString().slice(0, 16)
}

function offset(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: known(zone), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(new Date(at))
  const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value ?? 0)
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return wall - Math.floor(at / 1000) * 1000
}
