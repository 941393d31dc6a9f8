using System.Diagnostics.Metrics;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Sinks;

/// <summary>Instruments of sinks: one series per sink, of which there are few.</summary>
internal sealed class SinkMetrics
{
    private readonly Histogram<double> _attempts;
    private volatile Func<IReadOnlyList<SinkWorker>> _list = () => [];
    private volatile Func<string, int> _count = _ => 0;

    public SinkMetrics(IMeterFactory meters, Microsoft.Extensions.Options.IOptions<SinkOptions> options)
    {
        var meter = meters.Create(Instruments.Name);
        _attempts = meter.CreateRequestHistogram(
            "padim.sink.attempt.duration",
            "Time of an attempt to deliver, by sink and outcome: delivered, refused or failed."
        );
        meter.CreateObservableCounter(
            "padim.sink.delivered",
            () => Each(sink => sink.Delivery.Delivered),
            null,
            "Inspections that a receiver took."
        );
        meter.CreateObservableCounter(
            "padim.sink.failed",
            () => Each(sink => sink.Delivery.Failed),
            null,
            "Inspections that became dead letters, or went back to them."
        );
        meter.CreateObservableCounter(
            "padim.sink.dropped",
            () => Each(sink => sink.Dropped),
            null,
            "Inspections that a sink lost: its queue or its dead letters were full, or could not be stored."
        );
        meter.CreateObservableCounter(
            "padim.sink.images.dropped",
            () => Each(sink => sink.Queue.ImagesDropped),
            null,
            "Images that lines go without, because too many waited."
        );
        meter.CreateObservableGauge(
            "padim.sink.queue.inspections",
            () => Each(sink => sink.Queue.Count),
            null,
            "Inspections in memory that wait to be sent."
        );
        meter.CreateObservableGauge(
            "padim.sink.queue.capacity",
            () => options.Value.SinkQueueCapacity,
            null,
            "Inspections that may wait, per sink."
        );
        meter.CreateObservableGauge(
            "padim.sink.circuit.open",
            () => Each(sink => sink.Delivery.Circuit == SinkCircuit.Open ? 1 : 0),
            null,
            "1 while nothing is sent because the receiver has failed several times."
        );
        meter.CreateObservableGauge(
            "padim.sink.dead_letters",
            () => Each(sink => _count(sink.Name)),
            null,
            "Dead letters in the database, of all replicas."
        );
    }

    /// <summary>Says where the sinks are.</summary>
    public void Observe(Func<IReadOnlyList<SinkWorker>> list, Func<string, int> count) =>
        (_list, _count) = (list, count);

    public void RecordAttempt(string sink, string outcome, TimeSpan duration) =>
        _attempts.Record(duration.TotalSeconds, Instruments.Tag("sink", sink), Instruments.Tag("outcome", outcome));

    private IEnumerable<Measurement<long>> Each(Func<SinkWorker, long> value) =>
        _list().Select(sink => new Measurement<long>(value(sink), Instruments.Tag("sink", sink.Name)));
}
