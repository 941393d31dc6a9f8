using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PaDiM.Service.Diagnostics;

/// <summary>Common definitions of spans and instruments.</summary>
internal static class Instruments
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "PaDiM";

    /// <summary>Gets the source of spans. It costs nothing without a listener.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Histogram bounds for times within a request, in seconds.</summary>
    private static readonly double[] RequestBounds =
    [
        0.001,
        0.002,
        0.003,
        0.005,
        0.0075,
        0.01,
        0.015,
        0.02,
        0.03,
        0.05,
        0.075,
        0.1,
        0.2,
        0.5,
        1,
        2,
        5,
        10,
    ];

    /// <summary>Histogram bounds for times of background work, in seconds.</summary>
    private static readonly double[] BackgroundBounds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600];

    public static Histogram<double> CreateRequestHistogram(this Meter meter, string name, string description) =>
        meter.CreateBuckets(name, "s", description, RequestBounds);

    public static Histogram<double> CreateBackgroundHistogram(this Meter meter, string name, string description) =>
        meter.CreateBuckets(name, "s", description, BackgroundBounds);

    public static Histogram<double> CreateBuckets(
        this Meter meter,
        string name,
        string? unit,
        string description,
        double[] bounds
    ) =>
        meter.CreateHistogram(
            name,
            unit,
            description,
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds }
        );

    public static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
