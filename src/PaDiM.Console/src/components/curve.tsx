import type { Point } from '../data/curves';

const SIZE = 240,
    LEFT = 50,
    BOTTOM = 30;

/** One or two curves of shares, from 0 to 1 in both directions. The second one is dashed. */
export function Curve(props: {
    title: string;
    x: string;
    y: string;
    curves: readonly { name: string; points: readonly Point[] }[];
    mark?: Point | undefined;
    label: string;
}) {
    const place = ({ x, y }: Point) => `${(LEFT + x * SIZE).toFixed(1)} ${(8 + (1 - y) * SIZE).toFixed(1)}`;
    return (
        <figure class="curve">
            <figcaption>{props.title}</figcaption>
            <svg viewBox={`0 0 ${LEFT + SIZE + 8} ${SIZE + BOTTOM + 8}`} role="img" aria-label={props.label}>
                {[0, 0.25, 0.5, 0.75, 1].map(at => (
                    <g key={at}>
                        <line class="grid" x1={LEFT} x2={LEFT + SIZE} y1={8 + (1 - at) * SIZE} y2={8 + (1 - at) * SIZE} />
                        <line class="grid" x1={LEFT + at * SIZE} x2={LEFT + at * SIZE} y1="8" y2={8 + SIZE} />
                        <text class="tick" x={LEFT - 5} y={12 + (1 - at) * SIZE} text-anchor="end">
                            {at}
                        </text>
                        <text class="tick" x={LEFT + at * SIZE} y={SIZE + 21} text-anchor="middle">
                            {at}
                        </text>
                    </g>
                ))}
                {props.curves.map((curve, i) => (
                    <path key={i} class={`curve-line line-${i}`} d={`M${curve.points.map(place).join('L')}`} />
                ))}
                {props.mark && (
                    <circle class="curve-mark" cx={LEFT + props.mark.x * SIZE} cy={8 + (1 - props.mark.y) * SIZE} r="5" />
                )}
                <text class="axis" x={LEFT + SIZE / 2} y={SIZE + BOTTOM + 5} text-anchor="middle">
                    {props.x}
                </text>
                <text
                    class="axis"
                    transform={`translate(11 ${8 + SIZE / 2}) rotate(-90)`}
                    text-anchor="middle"
                >
                    {props.y}
                </text>
            </svg>
        </figure>
    );
}
