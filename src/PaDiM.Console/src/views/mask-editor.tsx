import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, Dialog } from '../components/basics';
import { api, must, ownPage, refusalOf, type CategoryRequest, type CategoryResponse, type ImageResponse } from '../data/api';
import { address, imageAddress } from '../data/address';
import { reach } from '../data/connection';
import { notify, notifyFailure } from '../data/notices';
import { queries } from '../data/queries';
import { t } from '../texts';

/** Thumbnails that the mean is made of: more change it by less than a grey level. */
const MEAN_OF = 40,
    LONG_SIDE = 1024,
    /** A step takes up to 4 MB. */
    UNDO_STEPS = 20;

type Tool = 'paint' | 'erase' | 'region';

interface Box {
    x: number;
    y: number;
    width: number;
    height: number;
}

/**
 * Draws the ignore mask and the region of interest over the mean of the good parts. The mean is made here, of
 * thumbnails: a mask may have any size.
 */
export function MaskEditor(props: {
    category: CategoryResponse;
    images: readonly ImageResponse[];
    onClose: () => void;
}) {
    const { category } = props;
    const good = props.images.filter(image => image.label === 'normal');
    const first = good[0];
    const canvas = useRef<HTMLCanvasElement>(null);
    const mean = useRef<OffscreenCanvas>();
    const mask = useRef<OffscreenCanvas>();
    const undo = useRef<ImageData[]>([]);
    const [tool, setTool] = useState<Tool>('paint');
    const [brush, setBrush] = useState(0.05);
    const [box, setBox] = useState<Box | undefined>(category.region ?? undefined);
    const [dirty, setDirty] = useState({ mask: false, box: false });
    const [busy, setBusy] = useState(true);
    const [, setStrokes] = useState(0);
    const boxRef = useRef(box);
    boxRef.current = box;

    const scale = first ? Math.min(1, LONG_SIDE / Math.max(first.width, first.height)) : 1;
    const width = Math.max(1, Math.round((first?.width ?? 1) * scale));
    const height = Math.max(1, Math.round((first?.height ?? 1) * scale));

    useEffect(() => {
        let gone = false;
        void (async () => {
            try {
                mask.current = new OffscreenCanvas(width, height);
                mean.current = await average(category.name, good, width, height);
                if (category.ignoreMaskSha256) await loadMask(category.name, mask.current);
            } catch (error) {
                if (gone) return;
                notifyFailure(error);
                // A mask that was not read would be lost with what is painted here.
                props.onClose();
                return;
            }
            if (!gone) {
                setBusy(false);
                redraw();
            }
        })();
        return () => {
            gone = true;
        };
    }, []);
    useEffect(redraw, [box]);

    function redraw() {
        const context = canvas.current?.getContext('2d');
        if (!context || !mean.current || !mask.current) return;
        context.clearRect(0, 0, width, height);
        context.drawImage(mean.current, 0, 0);
        context.globalAlpha = 0.6;
        context.drawImage(tint(mask.current), 0, 0);
        context.globalAlpha = 1;
        const shown = boxRef.current;
        if (!shown) return;
        context.fillStyle = 'rgb(0 0 0 / 50%)';
        const outside = new Path2D();
        outside.rect(0, 0, width, height);
        outside.rect(shown.x * width, shown.y * height, shown.width * width, shown.height * height);
        context.fill(outside, 'evenodd');
        context.strokeStyle = '#6cc5ff';
        context.lineWidth = 3;
        context.strokeRect(shown.x * width, shown.y * height, shown.width * width, shown.height * height);
    }

    function at(event: PointerEvent): [number, number] {
        const bounds = canvas.current!.getBoundingClientRect();
        return [
            Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width)),
            Math.min(1, Math.max(0, (event.clientY - bounds.top) / bounds.height)),
        ];
    }

    function begin(event: PointerEvent) {
        if (busy || !mask.current) return;
        const target = canvas.current!;
        target.setPointerCapture(event.pointerId);
        let [x, y] = at(event);
        const context = mask.current.getContext('2d')!;
        if (tool !== 'region') remember(context);
        const paint = (next: PointerEvent) => {
            const [nextX, nextY] = at(next);
            if (tool === 'region') {
                setBox(between(x, y, nextX, nextY));
                setDirty(before => ({ ...before, box: true }));
            } else {
                context.globalCompositeOperation = tool === 'paint' ? 'source-over' : 'destination-out';
                context.strokeStyle = '#fff';
                context.lineCap = 'round';
                context.lineWidth = brush * Math.max(width, height);
                context.beginPath();
                context.moveTo(x * width, y * height);
                context.lineTo(nextX * width + 0.01, nextY * height);
                context.stroke();
                [x, y] = [nextX, nextY];
                setDirty(before => ({ ...before, mask: true }));
                redraw();
            }
        };
        const end = () => {
            target.removeEventListener('pointermove', paint);
            target.removeEventListener('pointerup', end);
            target.removeEventListener('pointercancel', end);
            setStrokes(undo.current.length);
        };
        if (tool !== 'region') paint(event);
        target.addEventListener('pointermove', paint);
        target.addEventListener('pointerup', end);
        target.addEventListener('pointercancel', end);
    }

    function remember(context: OffscreenCanvasRenderingContext2D) {
        undo.current = [...undo.current.slice(-UNDO_STEPS), context.getImageData(0, 0, width, height)];
    }

    function stepBack() {
        const before = undo.current.at(-1);
        if (!before || !mask.current) return;
        undo.current = undo.current.slice(0, -1);
        mask.current.getContext('2d')!.putImageData(before, 0, 0);
        setStrokes(undo.current.length);
        setDirty(is => ({ ...is, mask: true }));
        redraw();
    }

    function clearMask() {
        const context = mask.current?.getContext('2d');
        if (!context) return;
        remember(context);
        context.clearRect(0, 0, width, height);
        setStrokes(undo.current.length);
        setDirty(is => ({ ...is, mask: true }));
        redraw();
    }

    async function save() {
        setBusy(true);
        try {
            if (dirty.mask) await saveMask(category.name, mask.current!);
            if (dirty.box)
                await must(
                    api.PATCH('/v1/categories/{category}', {
                        params: { path: { category: category.name } },
                        body: { region: box ?? null } as CategoryRequest,
                    }),
                );
            await queries.invalidateQueries({ queryKey: ['category', category.name] });
            notify(t.mask.saved);
            props.onClose();
        } catch (error) {
            notifyFailure(error);
            setBusy(false);
        }
    }

    return (
        <Dialog wide title={t.mask.title} onClose={props.onClose}>
            <p class="muted">{t.mask.detail}</p>
            <div class="row" role="group" aria-label={t.mask.tools}>
                {(['paint', 'erase', 'region'] as const).map(one => (
                    <Button key={one} pressed={tool === one} onClick={() => setTool(one)}>
                        {t.mask[one]}
                    </Button>
                ))}
                {tool !== 'region' && (
                    <label class="slider brush">
                        <span>{t.mask.brush}</span>
                        <input
                            type="range"
                            min={1}
                            max={25}
                            value={Math.round(brush * 100)}
                            onInput={event => setBrush(Number(event.currentTarget.value) / 100)}
                        />
                    </label>
                )}
                <Button disabled={undo.current.length === 0} onClick={stepBack}>
                    {t.undo}
                </Button>
                <Button onClick={clearMask}>{t.mask.clear}</Button>
                {box && (
                    <Button
                        onClick={() => {
                            setBox(undefined);
                            setDirty(is => ({ ...is, box: true }));
                        }}
                    >
                        {t.mask.whole}
                    </Button>
                )}
            </div>
            {box && (
                <p class="muted number" role="status">
                    {t.mask.box(box.x, box.y, box.width, box.height)}
                </p>
            )}
            <div class="mask-stage">
                <canvas
                    ref={canvas}
                    width={width}
                    height={height}
                    class="mask-canvas"
                    role="img"
                    aria-label={t.mask.title}
                    onPointerDown={begin}
                />
            </div>
            <footer class="row end">
                <Button onClick={props.onClose}>{t.cancel}</Button>
                <Button
                    kind="primary"
                    busy={busy}
                    disabled={!dirty.mask && !dirty.box}
                    onClick={() => void save()}
                >
                    {t.save}
                </Button>
            </footer>
        </Dialog>
    );
}

function between(x: number, y: number, toX: number, toY: number): Box {
    const round = (value: number) => Math.round(value * 1000) / 1000;
    const [left, top] = [round(Math.min(x, toX)), round(Math.min(y, toY))];
    return {
        x: left,
        y: top,
        width: Math.max(0.02, round(Math.max(x, toX) - left)),
        height: Math.max(0.02, round(Math.max(y, toY) - top)),
    };
}

/** Draws each picture with 1 / n over the ones before: the result is their mean. */
async function average(
    category: string,
    images: readonly ImageResponse[],
    width: number,
    height: number,
): Promise<OffscreenCanvas> {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d')!;
    const step = Math.max(1, Math.floor(images.length / MEAN_OF));
    let drawn = 0;
    for (let i = 0; i < images.length && drawn < MEAN_OF; i += step) {
        const response = await reach(imageAddress(category, images[i]!.id, 'thumbnail'));
        if (!response.ok) continue;
        const bitmap = await createImageBitmap(await response.blob());
        context.globalAlpha = 1 / ++drawn;
        context.drawImage(bitmap, 0, 0, width, height);
        bitmap.close();
    }
    return canvas;
}

/** White of a mask is ignored; here it is drawn on a transparent ground. */
async function loadMask(category: string, into: OffscreenCanvas): Promise<void> {
    const response = await reach(address(`v1/categories/${category}/ignore-mask`));
    if (!response.ok) throw await refusalOf(response);
    const context = into.getContext('2d')!;
    context.drawImage(await createImageBitmap(await response.blob()), 0, 0, into.width, into.height);
    const pixels = context.getImageData(0, 0, into.width, into.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
        pixels.data[i + 3] = pixels.data[i]! > 127 ? 255 : 0;
        pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 255;
    }
    context.putImageData(pixels, 0, 0);
}

function tint(mask: OffscreenCanvas): OffscreenCanvas {
    const tinted = new OffscreenCanvas(mask.width, mask.height);
    const context = tinted.getContext('2d')!;
    context.drawImage(mask, 0, 0);
    context.globalCompositeOperation = 'source-in';
    context.fillStyle = '#ff7a45';
    context.fillRect(0, 0, mask.width, mask.height);
    return tinted;
}

async function saveMask(category: string, mask: OffscreenCanvas): Promise<void> {
    const context = mask.getContext('2d')!;
    const pixels = context.getImageData(0, 0, mask.width, mask.height);
    let painted = false;
    for (let i = 0; i < pixels.data.length; i += 4) {
        const white = pixels.data[i + 3]! > 127 ? 255 : 0;
        painted ||= white > 0;
        pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = white;
        pixels.data[i + 3] = 255;
    }
    const path = `v1/categories/${category}/ignore-mask`;
    if (!painted) {
        const response = await reach(address(path), { method: 'DELETE', headers: ownPage });
        if (!response.ok && response.status !== 404) throw await refusalOf(response);
        return;
    }
    const flat = new OffscreenCanvas(mask.width, mask.height);
    flat.getContext('2d')!.putImageData(pixels, 0, 0);
    const response = await reach(address(path), {
        method: 'PUT',
        headers: { ...ownPage, 'Content-Type': 'image/png' },
        body: await flat.convertToBlob({ type: 'image/png' }),
    });
    if (!response.ok) throw await refusalOf(response);
}
