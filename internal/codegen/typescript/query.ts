/** How a value that is no text stands in a query: style and explode of its parameter, or JSON (OpenAPI 3.1 §4.8.12). */
export type QueryStyle = readonly [style: "form" | "spaceDelimited" | "pipeDelimited" | "deepObject" | "json", explode: boolean];

const separators = { form: ",", spaceDelimited: "%20", pipeDelimited: "%7C" };

/** Returns what writes the query of an operation. A parameter without a style is form and exploded, which is OpenAPI's default. */
export function querySerializer(styles: Readonly<Record<string, QueryStyle>>) {
  return (query: Record<string, unknown>): string => {
    const parts: string[] = [];
    const add = (name: string, value: unknown) => parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
    for (const [name, value] of Object.entries(query)) {
      const [style, explode] = styles[name] ?? ["form", true];
      if (value === undefined || value === null) {
        continue;
      }
      if (style === "json") {
        add(name, JSON.stringify(value));
      } else if (typeof value !== "object") {
        add(name, value);
      } else {
        const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
        if (style === "deepObject") {
          members.forEach(([key, member]) => add(`${name}[${key}]`, member));
        } else if (explode) {
          members.forEach(([key, member]) => add(Array.isArray(value) ? name : key, member));
        } else if (members.length > 0) {
          const list = members.flatMap(([key, member]) => (Array.isArray(value) ? [member] : [key, member]));
          parts.push(`${encodeURIComponent(name)}=${list.map((member) => encodeURIComponent(String(member))).join(separators[style])}`);
        }
      }
    }
    return parts.join("&");
  };
}
