/** The pattern of bars of what is rejected, so that they are told from others without colour. */
export function Hatch({ id }: { id: string }) {
    return (
        <defs>
            <pattern id={id} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect width="7" height="7" class="bar-bad" />
                <rect width="2.5" height="7" class="bar-hatch" />
            </pattern>
        </defs>
    );
}

/** Names a pattern of this page: the page has a base address, so that a bare name would lead elsewhere. */
export const fillWith = (id: string): string => `url(${location.pathname}${location.search}#${id})`;
