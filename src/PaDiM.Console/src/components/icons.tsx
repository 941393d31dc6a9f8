const paths = {
    menu: 'M4 7h16M4 12h16M4 17h16',
    close: 'M6 6l12 12M18 6 6 18',
    check: 'm5 13 4 4L19 7',
    good: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-4 9.2 2.8 2.8L16 9.6',
    bad: 'M12 3.5 2.8 19.5h18.4L12 3.5ZM12 10v4.5M12 17.2v.1',
    review: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM9.6 9.6a2.4 2.4 0 1 1 3.4 2.2c-.7.4-1 .8-1 1.7M12 16.6v.1',
    plus: 'M12 5v14M5 12h14',
    camera: 'M4 8h3l1.6-2.5h6.8L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 2a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z',
    folder: 'M3 7a1 1 0 0 1 1-1h5l2 2.5h9a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7Z',
    image: 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Zm0 12 5-5 3.5 3.5L15.500 12.500 20 17M15.500 9.200v.1',
    grid: 'M4 4h6.500v6.500H4zM13.500 4H20v6.500h-6.500zM4 13.500h6.500V20H4zM13.500 13.500H20V20h-6.500z',
    jobs: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4.500V12l3.200 2',
    system: 'M4 5h16v6H4zM4 13h16v6H4zM7.500 8v.1M7.500 16v.1',
    theme: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 0v18',
    book: 'M5 4h10a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3V4Zm0 13a3 3 0 0 1 3-3h10',
    out: 'M10 4H5v16h5M14 8l4 4-4 4M18 12H9',
    pause: 'M8 5v14M16 5v14',
    play: 'M7 5l12 7-12 7V5Z',
    stop: 'M6 6h12v12H6z',
    upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
    trash: 'M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13M10 11v5M14 11v5',
    search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM15.500 15.500 20 20',
    back: 'M9 7 4 12l5 5M4 12h10a5 5 0 0 1 0 10',
    chevron: 'm9 6 6 6-6 6',
    warn: 'M12 8v5M12 16v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z',
    cpu: 'M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4',
    download: 'M12 4v12M7 11l5 5 5-5M4 20h16',
    brush: 'M14 4l6 6-8 8H6v-6l8-8ZM4 21h16',
} as const;

export type IconName = keyof typeof paths;

/** A drawing beside a text that says the same. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
    return (
        <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
            <path d={paths[name]} />
        </svg>
    );
}
