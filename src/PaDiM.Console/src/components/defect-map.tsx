import type { ParetoResponse } from '../data/api';
import { t } from '../texts';

/** How often each place of the photograph has a defect: the stronger, the more often. */
export function DefectMap({ of, picture }: { of: ParetoResponse; picture: string | undefined }) {
    const most = Math.max(1, ...of.cells.flat());
    const top = of.hotspots[0];
    return (
        <div class="defect-map">
            {picture && <img src={picture} alt="" />}
            <svg
                viewBox={`0 0 ${of.grid} ${of.grid}`}
                preserveAspectRatio="none"
                role="img"
                aria-label={t.inspections.map(top ? t.inspections.placeAt(top.x, top.y) : '')}
            >
                {of.cells.flatMap((row, y) =>
                    row.map(
                        (count, x) =>
                            count > 0 && (
                                <rect
                                    key={`${x},${y}`}
                                    class={count === most ? 'defect-cell most' : 'defect-cell'}
                                    x={x}
                                    y={y}
                                    width={1}
                                    height={1}
                                    fill-opacity={0.2 + (0.75 * count) / most}
                                >
                                    <title>{t.number(count)}</title>
                                </rect>
                            ),
                    ),
                )}
            </svg>
        </div>
    );
}
