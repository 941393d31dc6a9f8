import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { useSearchParams } from 'wouter-preact';
import { Badge, Button, Empty, Field, Loaded, Panel, Table } from '../components/basics';
import { DefectMap } from '../components/defect-map';
import { Drift, Trend } from '../components/trend';
import { address } from '../data/address';
import {
    api,
    must,
    type CategoryResponse,
    type FigureResponse,
    type FigureSpan,
    type InspectionOrder,
    type InspectionResponse,
} from '../data/api';
import { photographAddress, useInspections, type InspectionFilter } from '../data/inspections';
import { t } from '../texts';
import { InspectionDialog, verdictTones } from './inspection';
import { tones } from './verdict';

const fields = ['part', 'station', 'lot', 'decision', 'verdict', 'from', 'to', 'order'] as const;
type FieldName = (typeof fields)[number];
const DRIFT_LIMIT = 0.2;

/** What was inspected: found again, counted, and exported. The filters are in the address, so that it can be passed on. */
export function Inspections({ category }: { category: CategoryResponse }) {
    const [search, setSearch] = useSearchParams();
    const [opened, setOpened] = useState<InspectionResponse>();
    const value = (name: FieldName) => search.get(name) ?? '';
    const set = (name: FieldName, to: string) =>
        setSearch(
            before => {
                if (to) before.set(name, to);
                else before.delete(name);
                return before;
            },
            { replace: true },
        );
    const order = (['oldest', 'highest', 'lowest'] as const).find(one => one === value('order')) ?? 'newest';
    const filter = readFilter(category.name, value);
    const query = useInspections(filter, order, order === 'newest');
    const filtered = fields.some(name => name !== 'order' && value(name) !== '');
    return (
        <div class="stack">
            <Panel
                title={t.inspections.title}
                actions={
                    <>
                        {filtered && (
                            <Button kind="quiet" onClick={() => setSearch({}, { replace: true })}>
                                {t.inspections.clear}
                            </Button>
                        )}
                        {(['csv', 'jsonl', 'parquet'] as const).map(format => (
                            <a
                                key={format}
                                class="button plain"
                                href={exportAddress(filter, format)}
                                aria-label={t.inspections.exportAs(format)}
                                download
                            >
                                {format}
                            </a>
                        ))}
                    </>
                }
            >
                <Filters value={value} set={set} order={order} />
                <Loaded query={query}>
                    {({ pages }) => {
                        const items = pages.flatMap(page => page.items);
                        if (items.length === 0)
                            return filtered ? (
                                <p class="muted" role="status">
                                    {t.inspections.noMatch}
                                </p>
                            ) : (
                                <Empty
                                    title={t.inspections.empty}
                                    detail={t.inspections.emptyDetail}
                                    icon="search"
                                />
                            );
                        return (
                            <>
                                <Rows items={items} onOpen={setOpened} />
                                {query.hasNextPage && (
                                    <Button
                                        busy={query.isFetchingNextPage}
                                        onClick={() => void query.fetchNextPage()}
                                    >
                                        {t.system.more}
                                    </Button>
                                )}
                            </>
                        );
                    }}
                </Loaded>
            </Panel>
            <Trends filter={filter} />
            <Where filter={filter} />
            {opened && <InspectionDialog of={opened} onClose={() => setOpened(undefined)} />}
        </div>
    );
}

function readFilter(category: string, value: (name: FieldName) => string): InspectionFilter {
    const text = (name: FieldName) => value(name).trim() || undefined;
    const time = (name: FieldName) => {
        const at = new Date(value(name));
        return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
    };
    const from = time('from');
    const to = time('to');
    return {
        category,
        part: text('part'),
        station: text('station'),
        lot: text('lot'),
        decision: (['normal', 'review', 'anomalous'] as const).find(one => one === value('decision')),
        verdict: (['open', 'none', 'good', 'defective', 'unsure'] as const).find(one => one === value('verdict')),
        from,
        // Half an answer while both are being chosen.
        to: from && to && to <= from ? undefined : to,
    };
}

function exportAddress(filter: InspectionFilter, format: string): string {
    const query = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
    return address(`v1/inspections/export?${query}`);
}

function Filters(props: {
    value: (name: FieldName) => string;
    set: (name: FieldName, to: string) => void;
    order: InspectionOrder;
}) {
    const { value, set } = props;
    const text = (name: 'part' | 'station' | 'lot') => (
        <Field label={t.inspections[name]}>
            {ids => (
                <input
                    {...ids}
                    type="search"
                    maxLength={128}
                    value={value(name)}
                    onChange={event => set(name, event.currentTarget.value)}
                />
            )}
        </Field>
    );
    const time = (name: 'from' | 'to') => (
        <Field label={t.inspections[name]}>
            {ids => (
                <input
                    {...ids}
                    type="datetime-local"
                    value={value(name)}
                    onChange={event => set(name, event.currentTarget.value)}
                />
            )}
        </Field>
    );
    const choice = (name: FieldName, label: string, options: readonly (readonly [string, string])[], chosen: string) => (
        <Field label={label}>
            {ids => (
                <select {...ids} value={chosen} onChange={event => set(name, event.currentTarget.value)}>
                    {options.map(([key, words]) => (
                        <option key={key} value={key}>
                            {words}
                        </option>
                    ))}
                </select>
            )}
        </Field>
    );
    return (
        <div class="filters" role="search" aria-label={t.inspections.filters}>
            {text('part')}
            {text('station')}
            {text('lot')}
            {choice(
                'decision',
                t.inspections.decision,
                [
                    ['', t.inspections.any],
                    ['normal', t.decision.normal],
                    ['review', t.decision.review],
                    ['anomalous', t.decision.anomalous],
                ],
                value('decision'),
            )}
            {choice(
                'verdict',
                t.review.verdict,
                [
                    ['', t.inspections.any],
                    ['open', t.inspections.openVerdict],
                    ['none', t.inspections.noVerdict],
                    ['good', t.review.verdicts.good],
                    ['defective', t.review.verdicts.defective],
                    ['unsure', t.review.verdicts.unsure],
                ],
                value('verdict'),
            )}
            {time('from')}
            {time('to')}
            {choice(
                'order',
                t.review.order,
                (['newest', 'oldest', 'highest', 'lowest'] as const).map(one => [
                    one,
                    one === 'lowest' ? t.inspections.lowest : t.review.orders[one],
                ]),
                props.order,
            )}
        </div>
    );
}

function Rows(props: { items: readonly InspectionResponse[]; onOpen: (item: InspectionResponse) => void }) {
    return (
        <Table
            label={t.inspections.title}
            head={[
                t.system.when,
                t.inspections.part,
                t.inspections.station,
                t.inspections.lot,
                t.inspections.decision,
                t.inspect.score,
                t.review.verdict,
            ]}
        >
            {props.items.map(item => (
                <tr key={item.id}>
                    <th scope="row" class="number">
                        <button
                            type="button"
                            class="row-button"
                            aria-label={[t.timeToSecond(item.at), item.part, t.decision[item.decision]].join(' ')}
                            onClick={() => props.onOpen(item)}
                        >
                            {t.timeToSecond(item.at)}
                        </button>
                    </th>
                    <td class="wrap">{item.part}</td>
                    <td class="wrap">{item.station}</td>
                    <td class="wrap">{item.lot}</td>
                    <td>
                        <Badge tone={tones[item.decision]}>{t.decision[item.decision]}</Badge>
                    </td>
                    <td class="number">{item.score.toPrecision(4)}</td>
                    <td>
                        {item.verdict && (
                            <Badge tone={verdictTones[item.verdict.verdict]}>
                                {item.verdict.defect ?? t.review.verdicts[item.verdict.verdict]}
                            </Badge>
                        )}
                    </td>
                </tr>
            ))}
        </Table>
    );
}

function Trends({ filter }: { filter: InspectionFilter }) {
    const [by, setBy] = useState<FigureSpan>('day');
    const [shifts, setShifts] = useState('06:00,14:00,22:00');
    const { category, from, to } = filter;
    const summary = useQuery({
        queryKey: ['inspections-summary', category, by, shifts, from, to],
        placeholderData: keepPreviousData,
        queryFn: () =>
            must(
                api.GET('/v1/inspections/summary', {
                    params: {
                        query: {
                            category,
                            by,
                            from,
                            to,
                            timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
                            shifts: by === 'shift' ? shifts : undefined,
                        },
                    },
                }),
            ),
    });
    return (
        <Panel
            title={t.inspections.trend}
            actions={
                <div class="row" role="group" aria-label={t.inspections.by}>
                    {(['hour', 'shift', 'day'] as const).map(one => (
                        <Button key={one} pressed={one === by} onClick={() => setBy(one)}>
                            {t.inspections.spans[one]}
                        </Button>
                    ))}
                </div>
            }
        >
            {by === 'shift' && (
                <Field label={t.inspections.shifts} hint={t.inspections.shiftsHint}>
                    {ids => (
                        <input
                            {...ids}
                            type="text"
                            value={shifts}
                            onChange={event => setShifts(event.currentTarget.value)}
                        />
                    )}
                </Field>
            )}
            <Loaded query={summary}>
                {({ spans }) =>
                    spans.every(span => span.parts === 0) ? (
                        <p class="muted">{t.inspections.noParts}</p>
                    ) : (
                        <>
                            <Trend spans={spans} />
                            <h3>{t.inspections.drift}</h3>
                            <p class="muted">{t.inspections.driftDetail}</p>
                            <Drift spans={spans} limit={DRIFT_LIMIT} />
                            <Figures spans={spans} />
                        </>
                    )
                }
            </Loaded>
        </Panel>
    );
}

function Figures({ spans }: { spans: readonly FigureResponse[] }) {
    return (
        <details>
            <summary>{t.inspections.figures}</summary>
            <Table
                label={t.inspections.figures}
                head={[
                    t.inspections.from,
                    t.inspections.parts,
                    t.decision.review,
                    t.inspections.rejects,
                    t.inspections.share,
                    t.inspections.drift,
                ]}
            >
                {spans
                    .filter(span => span.parts > 0)
                    .map(span => (
                        <tr key={span.from}>
                            <th scope="row" class="number">
                                {t.time(span.from)}
                            </th>
                            <td class="number">{t.number(span.parts)}</td>
                            <td class="number">{t.number(span.review)}</td>
                            <td class="number">{t.number(span.rejects)}</td>
                            <td class="number">
                                {span.rejectShare == null ? '' : t.inspections.percent(span.rejectShare)}
                            </td>
                            <td class="number">{span.drift?.toFixed(2) ?? ''}</td>
                        </tr>
                    ))}
            </Table>
        </details>
    );
}

function Where({ filter }: { filter: InspectionFilter }) {
    const pareto = useQuery({
        queryKey: ['inspections-pareto', filter.category, filter],
        placeholderData: keepPreviousData,
        queryFn: () => must(api.GET('/v1/inspections/pareto', { params: { query: { ...filter, grid: 24 } } })),
    });
    // What the camera sees: the newest photograph that is kept.
    const rejected = useInspections({ category: filter.category, decision: 'anomalous' }, 'newest');
    const seen = rejected.data?.pages[0]?.items.find(item => item.image.keptBytes != null);
    return (
        <Panel title={t.inspections.where}>
            <Loaded query={pareto}>
                {is =>
                    is.hotspots.length === 0 ? (
                        <p class="muted">{t.inspections.noDefects}</p>
                    ) : (
                        <div class="panels">
                            <figure class="stack">
                                <DefectMap of={is} picture={seen && photographAddress(seen)} />
                                <figcaption class="muted">{t.inspections.whereDetail(is.inspections)}</figcaption>
                            </figure>
                            <Table
                                label={t.inspections.where}
                                head={[
                                    t.inspections.place,
                                    t.inspections.parts,
                                    t.inspections.share,
                                    t.inspections.cumulative,
                                ]}
                            >
                                {is.hotspots.slice(0, 10).map(spot => (
                                    <tr key={`${spot.x},${spot.y}`}>
                                        <th scope="row" class="wrap">{t.inspections.placeAt(spot.x, spot.y)}</th>
                                        <td class="number">{t.number(spot.inspections)}</td>
                                        <td class="number">{t.inspections.percent(spot.share)}</td>
                                        <td class="number">{t.inspections.percent(spot.cumulative)}</td>
                                    </tr>
                                ))}
                            </Table>
                        </div>
                    )
                }
            </Loaded>
        </Panel>
    );
}
