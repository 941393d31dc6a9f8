using System.Diagnostics;
using System.Text.RegularExpressions;
using PaDiM.TestSupport;
using YamlDotNet.RepresentationModel;

namespace PaDiM.Service.Tests;

/// <summary><c>deploy/compose/scaled.yml</c> and the files that its services read agree with each other.</summary>
public sealed partial class ScaledComposeFileTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "deploy", "compose");
    private readonly YamlMappingNode _file = Load(Path.Combine(Folder, "scaled.yml"));

    [Fact]
    public void The_balancer_and_the_scrapes_know_every_replica_and_no_other()
    {
        string[] replicas =
        [
            .. Services.Where(service => HasSetting(service.Value)).Select(service => service.Key).Order(),
        ];
        Assert.Equal(["both-1", "score-1", "score-2"], replicas);
        Assert.Equal(
            replicas,
            Server().Matches(Read("haproxy.cfg")).Select(match => match.Groups[1].Value).Distinct().Order()
        );
        Assert.Equal(
            replicas.Select(replica => $"{replica}:8080"),
            Target().Matches(Read("prometheus.yml")).Select(match => match.Value).Order()
        );
    }

    [Fact]
    public void Everything_that_a_service_names_is_there()
    {
        var volumes = Keys("volumes");
        var configs = Keys("configs");
        foreach (var (name, service) in Services)
        {
            foreach (var volume in Texts(service, "volumes"))
            {
                var source = volume.Split(':')[0];
                if (!source.StartsWith('.'))
                    Assert.Contains(source, volumes);
                // The key of Prometheus is the user's.
                else if (source != "./padim.key")
                    Assert.True(Path.Exists(Path.Combine(Folder, source)), $"{name}: {source}");
            }
            if (Find(service, "configs") is YamlSequenceNode mounted)
                foreach (var config in mounted.Cast<YamlMappingNode>())
                    Assert.Contains($"{config["source"]}", configs);
            if (Find(service, "depends_on") is { } needed)
                Assert.All(
                    needed is YamlMappingNode map ? map.Children.Keys : ((YamlSequenceNode)needed).Children,
                    other => Assert.Contains(Services, found => found.Key == $"{other}")
                );
        }
        foreach (Match variable in Variable().Matches(Read("scaled.yml")))
            Assert.Contains($"{variable.Groups[1].Value}=", Read("scaled.env.example"), StringComparison.Ordinal);
    }

    /// <summary>HAProxy's own check. Names that only Docker resolves are warnings.</summary>
    [Theory]
    [InlineData("compose/haproxy.cfg")]
    [InlineData("haproxy/by-category.cfg")]
    public async Task HAProxy_accepts_its_configuration(string path)
    {
        const string program = "/usr/sbin/haproxy";
        Assert.SkipUnless(File.Exists(program), "HAProxy is absent.");
        using var folder = new TempDirectory();
        var copy = folder.Combine("haproxy.cfg");
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", path));
        await File.WriteAllTextAsync(copy, ServerAddress().Replace(text, "$1 127.0.0.1:8080"));
        using var check = Process.Start(
            new ProcessStartInfo(program, ["-c", "-f", copy])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        var said = await check.StandardError.ReadToEndAsync();
        await check.WaitForExitAsync();
        Assert.True(check.ExitCode == 0 && !said.Contains("WARNING", StringComparison.Ordinal), said);
    }

    private IEnumerable<KeyValuePair<string, YamlMappingNode>> Services =>
        ((YamlMappingNode)_file["services"]).Select(service =>
            KeyValuePair.Create($"{service.Key}", (YamlMappingNode)service.Value)
        );

    /// <summary>Gets whether a service is a replica: it merges the settings of all.</summary>
    private static bool HasSetting(YamlMappingNode service) => Find(service, "<<") is not null;

    private string[] Keys(string part) => [.. ((YamlMappingNode)_file[part]).Select(item => $"{item.Key}")];

    private static IEnumerable<string> Texts(YamlMappingNode service, string name) =>
        Find(service, name) is YamlSequenceNode list ? list.Select(item => $"{item}") : [];

    private static YamlNode? Find(YamlMappingNode node, string name) =>
        node.Children.TryGetValue(new YamlScalarNode(name), out var found) ? found : null;

    private static string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));

    private static YamlMappingNode Load(string path)
    {
        var stream = new YamlStream();
        using var text = File.OpenText(path);
        stream.Load(text);
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    [GeneratedRegex(@"^ +server (\S+) \1:8080$", RegexOptions.Multiline)]
    private static partial Regex Server();

    [GeneratedRegex(@"^( +server \S+) \S+$", RegexOptions.Multiline)]
    private static partial Regex ServerAddress();

    [GeneratedRegex(@"[a-z]+-\d:8080")]
    private static partial Regex Target();

    [GeneratedRegex(@"\$\{(\w+):\?\}")]
    private static partial Regex Variable();
}
