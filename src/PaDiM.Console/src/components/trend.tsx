import { useId } from 'preact/hooks';
import type { FigureResponse } from '../data/api';
import { t } from '../texts';
import { fillWith, Hatch } from './hatch';

const WIDTH = 1000,
    HEIGHT = 220,
    GAP = 0.15;

/** Parts per span of time: good ones below, then those to look at again, and rejected ones on top. */
export function Trend({ spans }: { spans: readonly FigureResponse[] }) {
    const hatch = useId();
    const most = Math.max(1, ...spans.map(span => span.parts));
    const step = WIDTH / spans.length;
    const tall = (value: number) => (value / most) * (HEIGHT - 8);
    const sum = (of: (span: FigureResponse) => number) => spans.reduce((all, span) => all + of(span), 0);
    return (
        <figure class="trend">
            <svg
                viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
                role="img"
                aria-label={t.inspections.chart(
                    sum(span => span.parts),
                    sum(span => span.rejects),
                )}
                preserveAspectRatio="none"
            >
                <Hatch id={hatch} />
                {spans.map((span, i) => {
                    const box = { x: (i + GAP) * step, width: (1 - 2 * GAP) * step };
                    const normal = tall(span.normal);
                    const review = tall(span.review);
                    // One reject among thousands stays visible.
                    const rejects = span.rejects > 0 ? Math.max(3, tall(span.rejects)) : 0;
                    return (
                        <g key={span.from}>
                            <title>{t.inspections.span(t.time(span.from), span.parts, span.review, span.rejects)}</title>
                            <rect class="bar-good" {...box} y={HEIGHT - normal} height={normal} />
                            <rect class="bar-review" {...box} y={HEIGHT - normal - review} height={review} />
                            <rect
                                fill={fillWith(hatch)}
                                {...box}
                                y={Math.max(0, HEIGHT - normal - review - rejects)}
                                height={rejects}
                            />
                        </g>
                    );
                })}
            </svg>
            <Ends spans={spans} />
            <figcaption class="legend">
                <span class="key good">{t.decision.normal}</span>
                <span class="key review">{t.decision.review}</span>
                <span class="key bad">{t.inspections.rejects}</span>
            </figcaption>
        </figure>
    );
}

/** How far the scores of each span lie from those of good parts. The line is where one should look. */
export function Drift({ spans, limit }: { spans: readonly FigureResponse[]; limit: number }) {
    const step = WIDTH / spans.length;
    const highest = Math.max(0, ...spans.map(span => span.drift ?? 0));
    return (
        <figure class="trend drift">
            <svg
                viewBox={`0 0 ${WIDTH} 100`}
                role="img"
                aria-label={t.inspections.driftChart(highest.toFixed(2))}
                preserveAspectRatio="none"
            >
                {spans.map(
                    (span, i) =>
                        span.drift != null && (
                            <rect
                                key={span.from}
                                class={span.drift > limit ? 'bar-review' : 'bar-drift'}
                                x={(i + GAP) * step}
                                width={(1 - 2 * GAP) * step}
                                y={100 - Math.max(1, 100 * span.drift)}
                                height={Math.max(1, 100 * span.drift)}
                            >
                                <title>{`${t.time(span.from)}: ${span.drift.toFixed(2)}`}</title>
                            </rect>
                        ),
                )}
                <line class="line-limit" x1="0" x2={WIDTH} y1={100 - 100 * limit} y2={100 - 100 * limit} />
            </svg>
            <Ends spans={spans} />
        </figure>
    );
}

function Ends({ spans }: { spans: readonly FigureResponse[] }) {
    return (
        <p class="trend-ends number">
            <span>{t.time(spans[0]!.from)}</span>
            <span>{t.time(spans.at(-1)!.to)}</span>
        </p>
    );
}
