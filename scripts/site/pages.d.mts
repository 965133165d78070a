/** The landing page. */
export declare const LANDING: string;

/** The groups of the navigation, with the pages that are there. */
export declare function groups(): { title: string; pages: string[] }[];
