const pattern = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})$/;
const interval = /^(\d{8})(\d\d)(\d\d)(\d\d)\.(\d{6}):000$/;

/** CIM's `20251121163910.123456+060` (offset in minutes) as `2025-11-21T16:39:10.123456+01:00`; an
 *  interval, `00000001020304.500000:000`, as `P1DT2H3M4.5S`. What has wildcards stays as it is.
 *  Source: DSP0004, Datetime type. */
export function cimDateTime(text: string): string {
  const [, year, month, day, hour, minute, second, micros, sign, offset] = pattern.exec(text) ?? [];
  if (year !== undefined) {
    const date = `${year}-${month}-${day}T${hour}:${minute}:${second}.${micros}`;
    const minutes = Number(offset);
    if (minutes === 0) return `${date}Z`;
    const pad = (value: number): string => String(value).padStart(2, '0');
    return `${date}${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  }
  const span = interval.exec(text);
  if (span === null) return text;
  const [days, hours, minutes, seconds, fraction] = span.slice(1).map(Number);
  const rest = seconds! + fraction! / 1e6;
  return `P${days}DT${hours}H${minutes}M${rest}S`;
}
