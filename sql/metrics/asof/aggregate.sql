-- Question: how many records of an object stood as of two cut-offs (or stand now), and what does one of their numbers add up to, by one field?
-- One row per value of the field and currency of the number.
-- Parameters: sees_all, the reader sees every record of the object; at the places: records, the staging view with its cut-offs; key, the
-- field as text; value and currency, the number that is summed and its currency; present, scope and filter as in list.sql.
-- Nulls: an empty field has the key ''; an empty number adds nothing. A number that is no money has the currency ''.
select
    /*{key*/ '' /*}*/ as _group_key,
    /*{currency*/ '' /*}*/ as _currency,
    count() as _record_count,
    count(/*{value*/ null /*}*/) as _value_count,
    sum(cast(/*{value*/ 0 /*}*/ as Nullable(Decimal(38, 9)))) as _value_sum
from /*{records*/ staging_deal_now /*}*/
where ({sees_all:Bool} or number in (select number from /*{present*/ staging_deal_now /*}*/ where /*{scope*/ true /*}*/))
    and /*{filter*/ true /*}*/
group by
    _group_key,
    _currency
order by
    _group_key,
    _currency
