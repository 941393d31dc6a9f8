/** The address below which the service lies, with a slash at its end. The page's base is `console/` below it. */
const root = new URL('..', document.baseURI);

/** The path of the service, without a slash at its end: empty, or a proxy's prefix. */
export const prefix = root.pathname.replace(/\/$/, '');

/** Gets the address of something of the service, such as `v1/categories`. */
export function address(path: string): string {
    return new URL(path, root).href;
}

export function imageAddress(category: string, id: string, kind?: 'thumbnail'): string {
    return address(`v1/categories/${category}/images/${id}${kind ? `/${kind}` : ''}`);
}
