import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, Empty, Field, Loaded, Panel } from '../components/basics';
import type { StageOptions } from '../components/stage';
import type { CategoryResponse, InspectionOrder, InspectionResponse, Verdict } from '../data/api';
import {
    judge,
    prefetchPicture,
    putBack,
    useInspections,
    useNeighbours,
    type Neighbourhood,
} from '../data/inspections';
import { notifyFailure } from '../data/notices';
import { shortcutsOn, useShortcuts } from '../data/shortcuts';
import { useStore } from '../data/store';
import { t } from '../texts';
import { Controls } from './inspect';
import { DefectDialog, InspectionDialog, InspectionFacts, InspectionStage, InspectionStrip } from './inspection';
import { LearnControl } from './learn';
import { VerdictFigures } from './verdict-figures';

const orders = ['oldest', 'newest', 'highest', 'lowest'] as const satisfies readonly InspectionOrder[];
/** The next page of the queue is read before the last one is at its end. */
const LOW_WATER = 20;

/** What is not normal and has no verdict, one part after the other, by keyboard. */
export function Review({ category }: { category: CategoryResponse }) {
    const [order, setOrder] = useState<InspectionOrder>('oldest');
    return (
        <Queue
            key={order}
            category={category}
            order={order}
            choice={
                <Field label={t.review.order}>
                    {ids => (
                        <select
                            {...ids}
                            value={order}
                            onChange={event => setOrder(event.currentTarget.value as InspectionOrder)}
                        >
                            {orders.map(one => (
                                <option key={one} value={one}>
                                    {t.review.orders[one]}
                                </option>
                            ))}
                        </select>
                    )}
                </Field>
            }
        />
    );
}

interface Said {
    item: InspectionResponse;
    verdict: Verdict;
}

function Queue(props: { category: CategoryResponse; order: InspectionOrder; choice: preact.ComponentChildren }) {
    const { category, order } = props;
    const query = useInspections({ category: category.name, verdict: 'open' }, order, true);
    const [said, setSaid] = useState<readonly Said[]>([]);
    const [current, setCurrent] = useState<string>();
    const [naming, setNaming] = useState(false);
    const [opened, setOpened] = useState<InspectionResponse>();
    const [options, setOptions] = useState<StageOptions>({ opacity: 0.8, contours: true, numbers: false });
    const [news, setNews] = useState('');
    const letters = useStore(shortcutsOn);
    /** One request after the other: what is taken back has been said before. */
    const work = useRef(Promise.resolve());

    const gone = new Set(said.map(one => one.item.id));
    const open = query.data?.pages.flatMap(page => page.items).filter(item => !gone.has(item.id)) ?? [];
    const at = Math.max(
        0,
        open.findIndex(item => item.id === current),
    );
    const shown = open[at];
    const following = open[at + 1] ?? (at > 0 ? open[0] : undefined);

    useEffect(() => prefetchPicture(following), [following?.id]);
    useEffect(() => {
        if (open.length < LOW_WATER && query.hasNextPage && !query.isFetching && !query.isError) void query.fetchNextPage();
    });

    function say(verdict: Verdict, defect?: string) {
        setNaming(false);
        if (!shown) return;
        const item = shown;
        setSaid(before => [...before, { item, verdict }]);
        setCurrent(following?.id);
        setNews(t.review.said(defect ?? t.review.verdicts[verdict]));
        work.current = work.current
            .then(() => judge(item, verdict, defect))
            .catch(error => {
                notifyFailure(error);
                setSaid(before => before.filter(one => one.item.id !== item.id));
            });
    }

    function undo() {
        const last = said.at(-1);
        if (!last) return;
        work.current = work.current
            .then(async () => {
                await judge(last.item, undefined);
                putBack(last.item);
                setSaid(before => before.filter(one => one.item.id !== last.item.id));
                setCurrent(last.item.id);
                setNews(t.review.takenBack);
            })
            .catch(notifyFailure);
    }

    const next = () => setCurrent(following?.id);
    const previous = () => setCurrent(open[at - 1]?.id ?? open.at(-1)?.id);
    useShortcuts({
        g: () => say('good'),
        d: () => shown && setNaming(true),
        u: () => say('unsure'),
        n: next,
        arrowright: next,
        arrowleft: previous,
        z: undo,
        h: () => setOptions(is => ({ ...is, opacity: is.opacity > 0 ? 0 : 0.8 })),
    });

    const key = (letter: string) => (letters ? letter : undefined);
    const undoButton = (
        <Button large icon="back" keys={key('Z')} disabled={said.length === 0} onClick={undo}>
            {t.undo}
        </Button>
    );
    return (
        <Loaded query={query}>
            {() => (
                <div class="stack">
                    <p class="visually-hidden" role="status">
                        {news}
                    </p>
                    <div class="row spread end-aligned">
                        <p class="rate-words" aria-live="polite">
                            {t.review.open(open.length, query.hasNextPage)}
                        </p>
                        <div class="row end-aligned">
                            {props.choice}
                            <label class="check">
                                <input
                                    type="checkbox"
                                    checked={letters}
                                    onChange={event => shortcutsOn.set(event.currentTarget.checked)}
                                />
                                {t.review.letters}
                            </label>
                        </div>
                    </div>
                    {!shown ? (
                        <Empty title={t.review.empty} detail={t.review.emptyDetail} icon="check">
                            {said.length > 0 && undoButton}
                        </Empty>
                    ) : (
                        <div class="inspect">
                            <Panel>
                                <div class="verdicts" role="group" aria-label={t.review.verdict}>
                                    <Button large icon="good" keys={key('G')} onClick={() => say('good')}>
                                        {t.review.verdicts.good}
                                    </Button>
                                    <Button large icon="bad" keys={key('D')} onClick={() => setNaming(true)}>
                                        {t.review.verdicts.defective}
                                    </Button>
                                    <Button large icon="review" keys={key('U')} onClick={() => say('unsure')}>
                                        {t.review.verdicts.unsure}
                                    </Button>
                                    <Button
                                        large
                                        icon="chevron"
                                        keys={key('N')}
                                        disabled={open.length < 2}
                                        onClick={next}
                                    >
                                        {t.review.next}
                                    </Button>
                                    {undoButton}
                                </div>
                                <InspectionStage of={shown} options={options} />
                            </Panel>
                            <aside class="inspect-side" aria-label={t.inspect.title}>
                                <InspectionFacts of={shown} />
                                {shown.image.keptBytes != null && (
                                    <Controls options={options} onChange={setOptions} />
                                )}
                            </aside>
                        </div>
                    )}
                    {shown && <Neighbours of={shown} onOpen={setOpened} />}
                    <VerdictFigures category={category.name} actions={<LearnControl category={category} />} />
                    {naming && (
                        <DefectDialog
                            category={category.name}
                            onClose={() => setNaming(false)}
                            onDefect={defect => say('defective', defect)}
                        />
                    )}
                    {opened && <InspectionDialog of={opened} onClose={() => setOpened(undefined)} />}
                </div>
            )}
        </Loaded>
    );
}

/** What to compare the part with. */
function Neighbours(props: { of: InspectionResponse; onOpen: (item: InspectionResponse) => void }) {
    const [by, setBy] = useState<Neighbourhood>('time');
    const offered: Neighbourhood[] = props.of.part ? ['time', 'score', 'part'] : ['time', 'score'];
    const chosen = offered.includes(by) ? by : 'time';
    const neighbours = useNeighbours(props.of, chosen);
    return (
        <Panel
            title={t.review.neighbours}
            actions={
                <div class="row" role="group" aria-label={t.review.neighbours}>
                    {offered.map(one => (
                        <Button key={one} pressed={one === chosen} onClick={() => setBy(one)}>
                            {t.review.neighboursBy[one]}
                        </Button>
                    ))}
                </div>
            }
        >
            <Loaded query={neighbours}>
                {items =>
                    items.length === 0 ? (
                        <p class="muted">{t.review.noNeighbours}</p>
                    ) : (
                        <InspectionStrip items={items} onOpen={props.onOpen} />
                    )
                }
            </Loaded>
        </Panel>
    );
}
