using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>A tensor that a model returns, with one element or map for each image.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">The type of its elements.</param>
/// <param name="Shape">Its extents; -1 for those that differ.</param>
/// <param name="Numbers">Gets the element of an image, of a tensor of FP64.</param>
/// <param name="Texts">Gets the element of an image, of a tensor of BYTES.</param>
internal sealed record InferOutput(
    string Name,
    string Datatype,
    IReadOnlyList<long> Shape,
    Func<ScoreResponse, double>? Numbers = null,
    Func<ScoreResponse, string>? Texts = null
)
{
    public const string Fp32 = "FP32",
        Fp64 = "FP64";

    /// <summary>Gets the map, which is large, and returned only if it is asked for.</summary>
    public static InferOutput Map { get; } = new("map", Fp32, [-1, -1, -1]);

    /// <summary>Gets all tensors.</summary>
    public static IReadOnlyList<InferOutput> All { get; } =
    [
        new("score", Fp64, [-1], Numbers: result => result.Score),
        new("threshold", Fp64, [-1], Numbers: result => result.Threshold),
        new("p_value", Fp64, [-1], Numbers: result => result.PValue),
        new("decision", ImageShape.Bytes, [-1], Texts: result => Choices.GetName(result.Decision)),
        new("inspection_id", ImageShape.Bytes, [-1], Texts: result => result.InspectionId ?? ""),
        new(
            "warnings",
            ImageShape.Bytes,
            [-1],
            Texts: result => string.Join(',', result.Warnings.Select(warning => warning.Code).Distinct())
        ),
        Map,
    ];

    /// <summary>Finds the tensors that a request wants, in its order.</summary>
    public static Outcome<IReadOnlyList<ChosenOutput>> Choose(InferHeader header)
    {
        if (header.Outputs is not { } wanted)
            return All.Where(output => output != Map)
                .Select(output => new ChosenOutput(output, header.BinaryOutput))
                .ToList();
        var chosen = new List<ChosenOutput>();
        foreach (var (name, binary) in wanted)
        {
            if (All.FirstOrDefault(output => output.Name == name) is not { } output)
                return Problems.InvalidRequest(
                    $"There is no output '{RequestIdentity.Clean(name)}'; there are "
                        + $"{string.Join(", ", All.Select(one => one.Name))}."
                );
            if (chosen.Any(other => other.Output == output))
                return Problems.InvalidRequest($"The output '{name}' is named twice.");
            chosen.Add(new ChosenOutput(output, binary ?? header.BinaryOutput));
        }
        return chosen;
    }
}

/// <summary>A tensor that a request wants.</summary>
/// <param name="Output">The tensor.</param>
/// <param name="Binary">Whether it is returned in binary form.</param>
internal sealed record ChosenOutput(InferOutput Output, bool Binary);
