using System.Diagnostics.Metrics;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Inspections;

/// <summary>Instruments of the ledger.</summary>
internal sealed class LedgerMetrics
{
    private Func<int> _waiting = () => 0;
    private Func<bool> _failing = () => false;
    private long _written,
        _lost,
        _imagesLost,
        _behind;

    public LedgerMetrics(IMeterFactory meters)
    {
        // Shown from the start, so that the first loss is an increase.
        var meter = meters.Create(Instruments.Name);
        meter.CreateObservableCounter(
            "padim.inspections.written",
            () => Interlocked.Read(ref _written),
            null,
            "Inspections written to the ledger."
        );
        meter.CreateObservableCounter(
            "padim.inspections.lost",
            () => Interlocked.Read(ref _lost),
            null,
            "Inspections that were not written: the queue was full, or the database refused them."
        );
        meter.CreateObservableCounter(
            "padim.inspections.images.lost",
            () => Interlocked.Read(ref _imagesLost),
            null,
            "Images that were to be kept and are not: too many waited, or the disk or the store refused them."
        );
        meter.CreateObservableGauge(
            "padim.inspections.waiting",
            () => _waiting(),
            null,
            "Inspections that wait to be written."
        );
        meter.CreateObservableGauge(
            "padim.inspections.failing",
            () => _failing() ? 1 : 0,
            null,
            "1 while inspections cannot be written."
        );
        meter.CreateObservableGauge(
            "padim.inspections.retention.behind",
            () => Interlocked.Read(ref _behind),
            "s",
            "How far the deletion of old inspections is behind the clock, after a pause or a jump of the clock."
        );
    }

    /// <summary>Says where the gauges look.</summary>
    public void Watch(Func<int> waiting, Func<bool> failing) => (_waiting, _failing) = (waiting, failing);

    /// <summary>Records rows that are on the disk.</summary>
    public void RecordWritten(int rows) => Interlocked.Add(ref _written, rows);

    /// <summary>Records rows that are lost.</summary>
    public void RecordLost(int rows) => Interlocked.Add(ref _lost, rows);

    /// <summary>Records how far retention is behind the clock.</summary>
    public void RecordBehind(TimeSpan behind) => Interlocked.Exchange(ref _behind, (long)behind.TotalSeconds);

    /// <summary>Records an image that is not kept.</summary>
    public void RecordImageLost() => Interlocked.Increment(ref _imagesLost);
}
