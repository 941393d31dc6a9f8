import { useEffect, useRef } from 'preact/hooks';
import type { AnomalyRegion } from '../data/api';

export interface Picture {
    image: ImageBitmap;
    heatmap?: ImageBitmap | undefined;
    regions: readonly AnomalyRegion[];
}

export interface StageOptions {
    opacity: number;
    contours: boolean;
    numbers: boolean;
}

const OUTLINE = '#ff7a45',
    HALO = 'rgb(0 0 0 / 75%)';

/** A picture with its heatmap, the outline at the threshold and the numbers of its regions. */
export function Stage(props: { picture: Picture; options: StageOptions; label: string }) {
    const canvas = useRef<HTMLCanvasElement>(null);
    const { picture, options } = props;
    useEffect(() => {
        const shown = canvas.current;
        if (!shown) return;
        const redraw = () => draw(shown, picture, options);
        redraw();
        const sizes = new ResizeObserver(redraw);
        sizes.observe(shown);
        return () => sizes.disconnect();
    }, [picture, options.opacity, options.contours, options.numbers]);
    return (
        <canvas
            ref={canvas}
            class="stage-canvas"
            role="img"
            aria-label={props.label}
            style={{
                aspectRatio: `${picture.image.width} / ${picture.image.height}`,
                width: `min(100%, ${((70 * picture.image.width) / picture.image.height).toFixed(1)}vh)`,
            }}
        />
    );
}

function draw(canvas: HTMLCanvasElement, picture: Picture, options: StageOptions): void {
    const { image, heatmap, regions } = picture;
    const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    const height = Math.max(1, Math.round((width * image.height) / image.width));
    if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
    }
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    if (heatmap && options.opacity > 0) {
        context.globalAlpha = options.opacity;
        context.drawImage(heatmap, 0, 0, width, height);
        context.globalAlpha = 1;
    }
    const scale = width / image.width;
    if (options.contours)
        for (const region of regions) {
            const path = outline(region, scale);
            stroke(context, path, HALO, 5);
            stroke(context, path, OUTLINE, 2.5);
        }
    if (options.numbers) regions.forEach((region, i) => drawNumber(context, region, i + 1, scale, width));
}

function stroke(context: CanvasRenderingContext2D, path: Path2D, colour: string, thickness: number): void {
    context.strokeStyle = colour;
    context.lineWidth = thickness * devicePixelRatio;
    context.lineJoin = 'round';
    context.stroke(path);
}

function outline(region: AnomalyRegion, scale: number): Path2D {
    const path = new Path2D();
    if (region.contour && region.contour.length > 2) {
        region.contour.forEach(([x = 0, y = 0], i) =>
            i === 0 ? path.moveTo(x * scale, y * scale) : path.lineTo(x * scale, y * scale),
        );
        path.closePath();
    } else path.rect(region.x * scale, region.y * scale, region.width * scale, region.height * scale);
    return path;
}

function drawNumber(
    context: CanvasRenderingContext2D,
    region: AnomalyRegion,
    number: number,
    scale: number,
    width: number,
): void {
    const size = 15 * devicePixelRatio;
    const radius = size * 0.75;
    const x = Math.min(width - radius, Math.max(radius, (region.x + region.width) * scale));
    const y = Math.max(radius, region.y * scale);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = '#1a1208';
    context.fill();
    context.strokeStyle = OUTLINE;
    context.lineWidth = 2 * devicePixelRatio;
    context.stroke();
    context.fillStyle = '#fff';
    context.font = `600 ${size * 0.85}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(String(number), x, y + size * 0.05);
}
