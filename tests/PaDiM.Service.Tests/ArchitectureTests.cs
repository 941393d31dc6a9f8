using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace PaDiM.Service.Tests;

public sealed partial class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    /// <summary>
    /// Which feature may use which. Hosting puts all of them together and is not listed; everything may use what
    /// Access, Hosting and Storage offer. Storage knows the rows of all features, and nothing of what they do.
    /// </summary>
    [Theory]
    [InlineData("Access", "Categories")]
    [InlineData("Backbones")]
    [InlineData("Categories", "Images", "Models")]
    [InlineData("Images", "Categories")]
    [InlineData("Jobs", "Categories", "Models")]
    [InlineData("Models", "Categories", "Images", "Jobs")]
    [InlineData("Fitting", "Categories", "Images", "Jobs", "Models")]
    [InlineData("Scoring", "Images", "Models")]
    [InlineData("Evaluations", "Categories", "Images", "Jobs", "Models")]
    [InlineData("Safekeeping", "Models")]
    [InlineData("Storage", "Categories", "Evaluations", "Images", "Jobs", "Models")]
    public void Features_use_only_the_features_that_they_may(string feature, params string[] others)
    {
        var used = Directory
            .EnumerateFiles(Path.Combine(Root, "src", "PaDiM.Service", feature), "*.cs")
            .SelectMany(path => FeatureUsing().Matches(File.ReadAllText(path)))
            .Select(match => match.Groups[1].Value)
            .Distinct();
        Assert.Empty(used.Except([feature, "Access", "Hosting", "Storage", .. others]));
    }

    [Fact]
    public void Every_feature_is_in_the_table()
    {
        var features = Directory
            .EnumerateDirectories(Path.Combine(Root, "src", "PaDiM.Service"))
            .Select(path => Path.GetFileName(path)!)
            .Where(name =>
                Directory.EnumerateFiles(Path.Combine(Root, "src", "PaDiM.Service", name), "*.cs").Any()
                && name is not ("bin" or "obj" or "Hosting")
            );
        var listed = typeof(ArchitectureTests)
            .GetMethod(nameof(Features_use_only_the_features_that_they_may))!
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(data => (string)data.Data[0]!);
        Assert.Empty(features.Except(listed));
    }

    [Theory]
    [InlineData("PaDiM.Core")]
    [InlineData("PaDiM.Onnx", "PaDiM.Core")]
    [InlineData("PaDiM.Cli", "PaDiM.Onnx")]
    [InlineData("PaDiM.Service", "PaDiM.Onnx")]
    public void Projects_refer_to_the_one_below_and_to_no_other(string project, params string[] expected)
    {
        var references = XDocument
            .Load(Path.Combine(Root, "src", project, $"{project}.csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        Assert.Equal(expected, references);
    }

    [Fact]
    public void Nothing_of_the_service_is_public() =>
        Assert.DoesNotContain(
            typeof(Program).Assembly.GetExportedTypes(),
            type => type.Namespace?.EndsWith(".Migrations", StringComparison.Ordinal) is not true
        );

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "PaDiM.Service.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException("The tests do not run from within the repository.");
    }

    [GeneratedRegex(@"^using PaDiM\.Service\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex FeatureUsing();
}
