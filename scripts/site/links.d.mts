/** Dead links of the pages below a folder, as `page: target`. */
export declare function deadLinks(folder: string): string[];
