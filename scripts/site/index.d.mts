/** Markdown: a heading for each group, a line for each page. */
export declare function pageList(groups: readonly { title: string; pages: readonly string[] }[]): string;
