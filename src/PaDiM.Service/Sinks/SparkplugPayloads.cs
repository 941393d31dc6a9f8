using Org.Eclipse.Tahu.Protobuf;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;
using Metric = Org.Eclipse.Tahu.Protobuf.Payload.Types.Metric;

namespace PaDiM.Service.Sinks;

/// <summary>What an edge node says: chapter 6 of the specification of Sparkplug 3.0.</summary>
internal static class SparkplugPayloads
{
    private const string Rebirth = "Node Control/Rebirth",
        Sequence = "bdSeq",
        Test = "test";

    /// <summary>The metrics of a device, with the names of the JSON where it has them.</summary>
    private static readonly (string Name, DataType Type, Func<Inspection, object?> Get)[] Metrics =
    [
        ("id", DataType.String, inspection => inspection.Id),
        ("part", DataType.String, inspection => inspection.Part),
        ("station", DataType.String, inspection => inspection.Station),
        ("lot", DataType.String, inspection => inspection.Lot),
        ("decision", DataType.String, inspection => Choices.GetName(inspection.Decision)),
        ("score", DataType.Double, inspection => inspection.Score),
        ("threshold", DataType.Double, inspection => inspection.Threshold),
        ("pValue", DataType.Double, inspection => inspection.PValue),
        ("decidedBy", DataType.String, inspection => inspection.DecidedBy),
        ("modelVersion", DataType.Int32, inspection => inspection.ModelVersion),
        ("thresholdVersion", DataType.Int32, inspection => inspection.ThresholdVersion),
        ("fallback", DataType.Boolean, inspection => inspection.Fallback),
        ("regions", DataType.Int32, inspection => inspection.Regions.Count),
        ("warnings", DataType.String, inspection => string.Join(' ', inspection.Warnings)),
        ("sha256", DataType.String, inspection => inspection.Image.Sha256),
        ("totalMs", DataType.Double, inspection => inspection.TimingsMs.Total),
    ];

    /// <summary>Creates the birth certificate of the edge node.</summary>
    /// <param name="session">Number of the connection, 0 to 255: that of the death certificate.</param>
    /// <param name="now">The time.</param>
    public static Payload CreateNodeBirth(int session, DateTimeOffset now) =>
        Create([
            CreateSession(session, now),
            CreateMetric(Rebirth, DataType.Boolean, false, now),
            CreateMetric(Test, DataType.String, null, now),
        ]);

    /// <summary>Creates the death certificate of the edge node, which has no number in the sequence of messages.</summary>
    public static Payload CreateNodeDeath(int session, DateTimeOffset now)
    {
        var payload = Create([CreateSession(session, now)]);
        payload.Timestamp = ToMilliseconds(now);
        return payload;
    }

    /// <summary>Creates data of the edge node: somebody has asked for a test.</summary>
    public static Payload CreateTest(Inspection test) => Create([CreateData(Test, test.Id, test.At)]);

    /// <summary>Creates the birth certificate of a device, with the inspection that is its state.</summary>
    /// <param name="newest">The newest inspection; null before the first.</param>
    /// <param name="now">The time.</param>
    public static Payload CreateDeviceBirth(Inspection? newest, DateTimeOffset now) =>
        Create(
            Metrics.Select(metric =>
                CreateMetric(
                    metric.Name,
                    metric.Type,
                    newest is null ? null : metric.Get(newest),
                    newest is null ? now : newest.At
                )
            )
        );

    /// <summary>Creates data of a device: an inspection.</summary>
    /// <param name="inspection">The inspection.</param>
    /// <param name="isLate">Whether it is not the newest.</param>
    public static Payload CreateDeviceData(Inspection inspection, bool isLate)
    {
        var payload = Create(Metrics.Select(metric => CreateData(metric.Name, metric.Get(inspection), inspection.At)));
        if (isLate)
            foreach (var metric in payload.Metrics)
                metric.IsHistorical = true;
        return payload;
    }

    /// <summary>Gets whether a command asks for all birth certificates again.</summary>
    public static bool AsksForRebirth(Payload command) =>
        command.Metrics.Any(metric => metric.Name == Rebirth && metric.HasBooleanValue && metric.BooleanValue);

    public static ulong ToMilliseconds(DateTimeOffset time) => (ulong)Math.Max(0, time.ToUnixTimeMilliseconds());

    private static Payload Create(IEnumerable<Metric> metrics)
    {
        var payload = new Payload();
        payload.Metrics.AddRange(metrics);
        return payload;
    }

    private static Metric CreateSession(int session, DateTimeOffset now) =>
        CreateMetric(Sequence, DataType.Int64, (long)session, now);

    /// <summary>A metric of a birth certificate, which says its type.</summary>
    private static Metric CreateMetric(string name, DataType type, object? value, DateTimeOffset at)
    {
        var metric = CreateData(name, value, at);
        metric.Datatype = (uint)type;
        return metric;
    }

    private static Metric CreateData(string name, object? value, DateTimeOffset at)
    {
        var metric = new Metric { Name = name, Timestamp = ToMilliseconds(at) };
        switch (value)
        {
            case null:
                metric.IsNull = true;
                break;
            case string text:
                metric.StringValue = text;
                break;
            case double number:
                metric.DoubleValue = number;
                break;
            case bool flag:
                metric.BooleanValue = flag;
                break;
            case int count:
                metric.IntValue = (uint)count;
                break;
            case long large:
                metric.LongValue = (ulong)large;
                break;
            default:
                throw new ArgumentException($"{value.GetType()} is no type of a metric.", nameof(value));
        }
        return metric;
    }
}
