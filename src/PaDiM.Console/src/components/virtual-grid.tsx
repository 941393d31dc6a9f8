import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const SPARE_ROWS = 2;

/** A grid of equal tiles of which only those in sight are in the page: ten thousand cost as much as fifty. */
export function VirtualGrid(props: {
    count: number;
    /** Least width of a tile, and its height beyond a square, in rem. */
    width: number;
    extra: number;
    label: string;
    render: (index: number) => ComponentChildren;
}) {
    const grid = useRef<HTMLUListElement>(null);
    const [view, setView] = useState({ columns: 1, height: 1, from: 0, to: 0 });
    const { count, width, extra } = props;
    useEffect(() => {
        const element = grid.current!;
        const measure = () => {
            const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
            const gap = 0.75 * rem;
            const columns = Math.max(1, Math.floor((element.clientWidth + gap) / (width * rem + gap)));
            const height = (element.clientWidth - (columns - 1) * gap) / columns + extra * rem + gap;
            const top = element.getBoundingClientRect().top;
            const rows = Math.ceil(count / columns);
            const from = Math.max(0, Math.floor(-top / height) - SPARE_ROWS);
            const to = Math.min(rows, Math.ceil((innerHeight - top) / height) + SPARE_ROWS);
            setView(before =>
                before.columns === columns && before.height === height && before.from === from && before.to === to
                    ? before
                    : { columns, height, from, to },
            );
        };
        measure();
        addEventListener('scroll', measure, { passive: true });
        const sizes = new ResizeObserver(measure);
        sizes.observe(element);
        return () => {
            removeEventListener('scroll', measure);
            sizes.disconnect();
        };
    }, [count, width, extra]);

    const { columns, height, from, to } = view;
    const rows = Math.ceil(count / columns);
    const shown = [];
    for (let i = from * columns; i < Math.min(count, to * columns); i++)
        shown.push(
            <li key={i} aria-setsize={count} aria-posinset={i + 1}>
                {props.render(i)}
            </li>,
        );
    return (
        <ul
            ref={grid}
            class="virtual-grid"
            aria-label={props.label}
            style={{
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                gridAutoRows: `calc(${height}px - 0.75rem)`,
                paddingTop: `${Math.min(from, rows) * height}px`,
                paddingBottom: `${Math.max(0, rows - to) * height}px`,
            }}
        >
            {shown}
        </ul>
    );
}
