using System.Globalization;
using System.Text.RegularExpressions;

namespace PaDiM.Service.Tests.Telemetry;

/// <summary>An answer of <c>/metrics</c>, read by the rules of the text format.</summary>
internal sealed partial class Scrape
{
    private Scrape(Dictionary<string, string> types, Dictionary<string, string> helps, List<Sample> samples)
    {
        Types = types;
        Helps = helps;
        Samples = samples;
    }

    /// <summary>Families and their types.</summary>
    public IReadOnlyDictionary<string, string> Types { get; }

    public IReadOnlyDictionary<string, string> Helps { get; }

    public IReadOnlyList<Sample> Samples { get; }

    public static Scrape Parse(string text)
    {
        var types = new Dictionary<string, string>();
        var helps = new Dictionary<string, string>();
        var samples = new List<Sample>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ', 4) is ["#", var kind, var name, var rest])
            {
                // Both once a family, or Prometheus refuses the whole answer.
                (kind == "TYPE" ? types : helps).Add(name, rest);
                continue;
            }
            if (line.StartsWith('#'))
                continue;
            var match = SampleLine().Match(line);
            Assert.True(match.Success, line);
            samples.Add(
                new Sample(
                    match.Groups["name"].Value,
                    Label()
                        .Matches(match.Groups["labels"].Value)
                        .ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value),
                    double.Parse(
                        match.Groups["value"].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal),
                        CultureInfo.InvariantCulture
                    )
                )
            );
        }
        return new Scrape(types, helps, samples);
    }

    /// <summary>The one sample of a name and labels.</summary>
    public double Value(string name, params (string Name, string Value)[] labels)
    {
        var found = Samples
            .Where(sample =>
                sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)
            )
            .ToArray();
        Assert.True(found.Length == 1, $"{name}: {found.Length} samples");
        return found[0].Value;
    }

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})? (?<value>\S+)$")]
    private static partial Regex SampleLine();

    [GeneratedRegex("""([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?""")]
    private static partial Regex Label();
}

internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
