/** An element of an event's XML, as the Event Log API renders it or as a file's binary XML says
 *  it. Namespaces are plain attributes. */
export class XmlElement {
  readonly name: string;
  readonly attributes: XmlAttribute[] = [];
  readonly children: (XmlElement | string)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** The first child element of that name. */
  child(name: string): XmlElement | undefined {
    for (const child of this.children) {
      if (typeof child !== 'string' && child.name === name) return child;
    }
    return undefined;
  }

  attribute(name: string): string | undefined {
    for (const one of this.attributes) if (one.name === name) return one.value;
    return undefined;
  }

  /** The text directly inside. */
  text(): string {
    const { children } = this;
    // Most have only that.
    if (children.length === 1 && typeof children[0] === 'string') return children[0];
    let text = '';
    for (const child of this.children) if (typeof child === 'string') text += child;
    return text;
  }
}

export interface XmlAttribute {
  readonly name: string;
  readonly value: string;
}
