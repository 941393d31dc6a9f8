using System.Text.Json;
using PaDiM.TestSupport;

namespace PaDiM.Core.Tests;

/// <summary>Results of an independent float64 implementation in another language.</summary>
internal sealed record CheckVectors(
    double Epsilon,
    CheckVectors.Case[] Cases,
    CheckVectors.MapCase Map,
    CheckVectors.MetricsCase Metrics
)
{
    public const string Path = "reference/vectors.json";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);
    private static readonly Lazy<CheckVectors> Loaded = new(() =>
        JsonSerializer.Deserialize<CheckVectors>(File.ReadAllBytes(SharedFolder.Path(Path)), Options)
        ?? throw new JsonException()
    );

    public sealed record Case(
        int N,
        int P,
        int D,
        double[] Embeddings,
        double[] Mean,
        double[] Covariance,
        double[] Probe,
        double[] ProbeDistance,
        double[] LeaveOneOutDistance
    );

    public sealed record MapCase(double[] Grid, int Rows, int Cols, int Size, double[] Upsampled, double[] Smoothed);

    public sealed record MetricsCase(
        int Rows,
        int Cols,
        int[][] Masks,
        double[][] Scores,
        double AuPro30,
        double AuPro05,
        double PixelAuroc
    );

    public static CheckVectors Load()
    {
        Assert.SkipUnless(SharedFolder.Has(Path), SharedFolder.Missing(Path));
        return Loaded.Value;
    }
}
