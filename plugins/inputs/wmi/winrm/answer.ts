import type { XmlElement } from '../../../shared/windows_event/xml_element.ts';
import { parseXml } from '../../../shared/windows_event/xml_text.ts';
import { wmiErrorText } from '../wmi_error_text.ts';
import { WmiError, type WmiRow } from '../wmi_source.ts';

export interface WinrmPage {
  readonly rows: readonly WmiRow[];
  /** To ask for more with; undefined at the end. */
  readonly context: string | undefined;
}

const limits = { depthMax: 64, elementsMax: 1_000_000 };

/** Reads the answer to Enumerate or Pull. Errors: WmiError for a fault; Error for what is no
 *  answer. */
export function readAnswer(text: string, spelling: ReadonlyMap<string, string>): WinrmPage {
  const body = bodyOf(text);
  const answer = childOf(body, 'EnumerateResponse') ?? childOf(body, 'PullResponse');
  if (answer === undefined) throw faultOf(body);
  const items = childOf(answer, 'Items');
  const rows = elementsOf(items).map((item) => rowOf(item, spelling));
  const isEnd = childOf(answer, 'EndOfSequence') !== undefined;
  const context = childOf(answer, 'EnumerationContext')?.text().trim();
  return { rows, context: isEnd || context === '' ? undefined : context };
}

/** What a fault says. A text that is no SOAP gives the error of its status. */
export function readFault(status: number, text: string): Error {
  try {
    return faultOf(bodyOf(text));
  } catch {
    const start = text.replace(/\s+/g, ' ').trim().slice(0, 200);
    return new Error(`WinRM answered with status ${status}${start === '' ? '' : `: ${start}`}`);
  }
}

function bodyOf(text: string): XmlElement {
  const envelope = parseXml(text, limits);
  const body = childOf(envelope, 'Body');
  if (body === undefined) throw new Error('WinRM’s answer has no body');
  return body;
}

/** WMI's own code stands in the detail, WinRM's beside it. */
function faultOf(body: XmlElement): Error {
  const fault = childOf(body, 'Fault');
  if (fault === undefined) return new Error('WinRM’s answer is neither rows nor a fault');
  const codeOf = (text: string | undefined): number | undefined => {
    const code = Number(text);
    return text !== undefined && Number.isInteger(code) && code > 0 ? code : undefined;
  };
  const wmi = codeOf(findOf(fault, 'error_Code')?.text());
  if (wmi !== undefined) return new WmiError(wmiErrorText('WinRM', wmi), wmi);
  const own = codeOf(findOf(fault, 'WSManFault')?.attribute('Code'));
  if (own === accessDenied) return new WmiError(wmiErrorText('WinRM', 0x80070005), 0x80070005);
  const reason = findOf(fault, 'Message')?.text() || findOf(fault, 'Text')?.text() || 'no reason';
  const said = `WinRM refuses: ${reason.replace(/\s+/g, ' ').trim().slice(0, 500)}`;
  return own === undefined ? new Error(said) : new WmiError(`${said} (${own})`, own);
}

const accessDenied = 5;

function rowOf(item: XmlElement, spelling: ReadonlyMap<string, string>): WmiRow {
  const className = localName(item.name);
  const members: string[] = [];
  const lists = new Map<string, string[]>();
  for (const element of elementsOf(item)) {
    const given = localName(element.name);
    const name = spelling.get(given.toLowerCase()) ?? given;
    const value = valueJson(element);
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    // A list is an element for each of its values.
    else list.push(value);
  }
  for (const [name, values] of lists) {
    const value = values.length === 1 ? values[0]! : `[${values.join(',')}]`;
    members.push(`${JSON.stringify(name)}:${value}`);
  }
  return {
    class: className === 'XmlFragment' ? '' : className,
    properties: `{${members.join(',')}}`,
  };
}

/** WinRM gives no types; what is written as WMI writes numbers and truths is one. */
function valueJson(element: XmlElement): string {
  const isNil = element.attributes.some(
    ({ name, value }) => localName(name) === 'nil' && (value === 'true' || value === '1'),
  );
  if (isNil) return 'null';
  const inner = elementsOf(element);
  const text = (inner.length === 0 ? element : inner[0]!).text();
  if (inner.length > 0 && !/^(?:datetime|date|time|interval)$/i.test(localName(inner[0]!.name))) {
    return 'null';
  }
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase();
  return /^(?:0|-?[1-9]\d{0,19})$/.test(text) ? text : JSON.stringify(text);
}

function elementsOf(element: XmlElement | undefined): XmlElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string');
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return elementsOf(element).find((child) => localName(child.name) === name);
}

function findOf(element: XmlElement, name: string): XmlElement | undefined {
  const waiting = elementsOf(element);
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    if (localName(one.name) === name) return one;
    waiting.push(...elementsOf(one));
  }
  return undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
