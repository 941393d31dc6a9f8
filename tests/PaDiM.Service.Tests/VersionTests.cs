using System.Text.RegularExpressions;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Programs, packages, clients, images and the newest release in the changelog have one version.</summary>
public sealed class VersionTests
{
    private static readonly string Version = Find("Directory.Build.props", "<Version>(.+)</Version>").Single();

    [Theory]
    [InlineData("Dockerfile", "ARG VERSION=(.+)", 3)]
    [InlineData("deploy/kubernetes/chart/Chart.yaml", "(?:version|appVersion): (.+)", 2)]
    [InlineData("deploy/kubernetes/base/kustomization.yaml", "newTag: (.+)", 1)]
    [InlineData("deploy/kubernetes/gpu/kustomization.yaml", "newTag: (.+)-gpu", 1)]
    [InlineData("src/PaDiM.Service/OpenApi/Examples/Operations.json", "\"On a CPU\": { \"version\": \"([^\"]+)\"", 1)]
    public void Files_have_the_version_of_the_programs(string file, string pattern, int count) =>
        Assert.Equal(Enumerable.Repeat(Version, count), Find(file, pattern));

    /// <summary>Projects that set a version of their own would leave the others behind.</summary>
    [Fact]
    public void Projects_have_no_version_of_their_own() =>
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories),
            project => File.ReadAllText(project).Contains("Version>", StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("clients/typescript/package.json", "^  \"version\": \"([^\"]+)\"")]
    [InlineData("clients/python/padim.py", "^__version__ = \"([^\"]+)\"")]
    public void Clients_have_it(string file, string pattern) => Assert.Equal([Version], Find(file, pattern));

    [Fact]
    public void The_newest_release_in_the_changelog_has_it() =>
        Assert.Equal(Version, Find("CHANGELOG.md", @"^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$")[0]);

    private static string[] Find(string file, string pattern) =>
        [
            .. Regex
                .Matches(
                    File.ReadAllText(Path.Combine(Repository.Root, file)),
                    pattern,
                    RegexOptions.Multiline | RegexOptions.CultureInvariant
                )
                .Select(match => match.Groups[1].Value.Trim()),
        ];
}
