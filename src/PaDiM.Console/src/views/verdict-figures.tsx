import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { Loaded, Panel, Table } from '../components/basics';
import { api, must, type BinomialInterval } from '../data/api';
import { t } from '../texts';

/** What the verdicts of the last 30 days say about the decisions. */
export function VerdictFigures({ category, actions }: { category: string; actions?: ComponentChildren }) {
    const figures = useQuery({
        queryKey: ['verdict-figures', category],
        queryFn: () => must(api.GET('/v1/inspections/verdicts', { params: { query: { category } } })),
    });
    return (
        <Panel title={t.figures.title} actions={actions}>
            <Loaded query={figures}>
                {is => (
                    <>
                        <dl class="figures">
                            <Rate
                                label={t.figures.falseRejects}
                                of={is.falseRejects.rate}
                                note={
                                    is.promisedFalseRejectRate == null
                                        ? undefined
                                        : t.figures.promised(is.promisedFalseRejectRate)
                                }
                            />
                            <Rate label={t.figures.escapes} of={is.escapes.rate} note={undefined} />
                        </dl>
                        {is.escapes.rate == null && <p class="muted">{t.figures.noEscapes}</p>}
                        <Table
                            label={t.figures.title}
                            head={[
                                t.inspections.decision,
                                t.inspections.parts,
                                t.review.verdicts.good,
                                t.review.verdicts.defective,
                                t.review.verdicts.unsure,
                            ]}
                        >
                            {is.decisions.map(one => (
                                <tr key={one.decision}>
                                    <th scope="row">{t.decision[one.decision]}</th>
                                    {[one.inspections, one.good, one.defective, one.unsure].map((value, i) => (
                                        <td key={i} class="number">
                                            {t.number(value)}
                                        </td>
                                    ))}
                                </tr>
                            ))}
                        </Table>
                    </>
                )}
            </Loaded>
        </Panel>
    );
}

function Rate(props: { label: string; of: BinomialInterval | null; note: string | undefined }) {
    return (
        <div>
            <dt>{props.label}</dt>
            <dd>
                {props.of ? (
                    <>
                        {t.inspections.percent(props.of.estimate)}{' '}
                        <span class="muted">{t.figures.between(props.of.low, props.of.high)}</span>
                    </>
                ) : (
                    <span class="muted">{t.figures.unknown}</span>
                )}
                {props.note && <span class="muted"> {props.note}</span>}
            </dd>
        </div>
    );
}
