-- Question: how many deals were decided in each week, by region (the deal's territory), and what were the won ones worth, as it stands now?
-- One row per week (its first day), region and currency that has a decided deal.
-- Parameters: from and to, instants, half-open: the weeks asked for; earlier_from and earlier_to: a second such range
-- (the same week of last year), empty where both are the same; zone, IANA name of the workspace's zone, in which weeks are cut;
-- week_start_day, 1 (Monday) to 7 (Sunday), the day on which a week starts.
-- Ties: none, a deal has one closed_at.
-- Nulls: no region is ''. A won deal without an amount counts with 0 and is counted; without a list value in the currency of its amount
-- its amount is its list value. The currency is that of the amount, else of the list value, else ''. Money in major units.
with
    deals as (
        select
            closed_at,
            status,
            territory,
            amount,
            amount_currency,
            list_value,
            list_value_currency
        from staging_deal_now
        where status in ('won', 'lost')
            and (
                (closed_at >= {from:DateTime64(3, 'UTC')} and closed_at < {to:DateTime64(3, 'UTC')})
                or (closed_at >= {earlier_from:DateTime64(3, 'UTC')} and closed_at < {earlier_to:DateTime64(3, 'UTC')})
            )
            and /*{scope*/ true /*}*/
            and /*{filter*/ true /*}*/
    )
select
    toDate32(toTimeZone(assumeNotNull(closed_at), {zone:String})) - (toDayOfWeek(toTimeZone(assumeNotNull(closed_at), {zone:String})) - {week_start_day:UInt8} + 7) % 7 as week,
    ifNull(territory, '') as branch,
    coalesce(amount_currency, list_value_currency, '') as currency,
    count() as decided_count,
    countIf(status = 'won') as won_count,
    sumIf(ifNull(amount, 0), status = 'won') as won_value,
    sumIf(if(list_value_currency = currency, ifNull(list_value, 0), ifNull(amount, 0)), status = 'won') as won_list_value,
    countIf(status = 'won' and amount is null) as won_without_amount_count
from deals
group by
    week,
    branch,
    currency
order by
    week,
    branch,
    currency
