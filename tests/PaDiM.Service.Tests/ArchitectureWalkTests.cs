using System.Reflection;
using System.Text.RegularExpressions;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The walks of <c>docs/architecture.md</c> name methods that exist, at most 30 per walk.</summary>
public sealed partial class ArchitectureWalkTests
{
    private const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Assemblies =
    [
        typeof(Program).Assembly,
        typeof(Backbone).Assembly,
        typeof(RgbImage).Assembly,
        typeof(Grid).Assembly,
    ];

    [Theory]
    [InlineData("The walk of a fit")]
    [InlineData("The walk of a score")]
    public void Every_stop_exists(string walk)
    {
        var stops = Stop().Matches(GetChapter(walk)).Select(match => (match.Groups[1].Value, match.Groups[2].Value));
        Assert.InRange(stops.Count(), 20, 30);
        Assert.All(
            stops,
            stop =>
                Assert.Contains(
                    Assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Name == stop.Item1),
                    type => type.GetMember(stop.Item2, Declared).Length > 0
                )
        );
    }

    private static string GetChapter(string title)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md"));
        var chapter = page[page.IndexOf($"## {title}", StringComparison.Ordinal)..];
        var next = chapter.IndexOf("\n## ", StringComparison.Ordinal);
        var section = chapter.IndexOf("\n### ", StringComparison.Ordinal);
        return chapter[..Math.Min(next < 0 ? chapter.Length : next, section < 0 ? chapter.Length : section)];
    }

    [GeneratedRegex(@"^\d+\. `(\w+)\.(\w+)`", RegexOptions.Multiline)]
    private static partial Regex Stop();
}
