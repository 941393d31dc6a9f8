using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaDiM.TestSupport;
using YamlDotNet.RepresentationModel;

namespace PaDiM.Service.Tests.Telemetry;

/// <summary>The table of metrics, the dashboard and the alert rules name what is there, and all of it.</summary>
[Collection<BusyTests>]
public sealed partial class DocumentedMetricsTests(BusyService busy)
{
    private readonly Scrape _scrape = busy.Scrape;

    [Fact]
    public void The_table_lists_every_metric_with_its_type_and_its_labels_and_no_other()
    {
        var documented = TableRow()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "monitoring.md")))
            .Select(row =>
                (
                    Name: row.Groups["name"].Value,
                    Type: row.Groups["type"].Value,
                    Labels: string.Join(
                        ' ',
                        LabelName().Matches(row.Groups["labels"].Value).Select(label => label.Groups[1].Value).Order()
                    )
                )
            );
        var served = _scrape
            .Types.Where(family => family.Key.StartsWith("padim_", StringComparison.Ordinal))
            .Select(family =>
                (Name: family.Key, Type: family.Value, Labels: string.Join(' ', LabelsOf(family.Key).Order()))
            );
        Assert.Equal(served.OrderBy(metric => metric.Name), documented.OrderBy(metric => metric.Name));
    }

    [Fact]
    public void The_dashboard_asks_for_what_is_there()
    {
        var dashboard = JsonNode.Parse(
            File.ReadAllText(Path.Combine(Repository.Root, "deploy", "grafana", "padim.json"))
        )!;
        var panels = dashboard["panels"]!.AsArray().ToArray();
        Assert.Equal(panels.Length, panels.Select(panel => panel!["id"]!.GetValue<int>()).Distinct().Count());
        Assert.Equal(
            ["Line health", "Categories", "Jobs", "Memory and disk"],
            panels.Where(panel => (string?)panel!["type"] == "row").Select(panel => (string)panel!["title"]!)
        );
        var queries = panels
            .SelectMany(panel => panel!["targets"]?.AsArray() ?? [])
            .Select(target => (string)target!["expr"]!)
            .ToArray();
        Assert.True(queries.Length > 30);
        Assert.Empty(queries.SelectMany(Unknown));
        Assert.Empty(
            dashboard["templating"]!["list"]!
                .AsArray()
                .Select(variable => variable!["query"])
                .OfType<JsonObject>()
                .SelectMany(query => Unknown((string)query["query"]!))
        );
    }

    [Fact]
    public void The_alert_rules_ask_for_what_is_there_and_are_explained()
    {
        var rules = Rules().ToArray();
        Assert.True(rules.Length > 8);
        Assert.Empty(rules.SelectMany(rule => Unknown(rule.Expression)));
        var monitoring = File.ReadAllText(Path.Combine(Repository.Root, "docs", "monitoring.md"));
        Assert.Empty(
            rules
                .Where(rule => !monitoring.Contains($"| `{rule.Name}` |", StringComparison.Ordinal))
                .Select(rule => rule.Name)
        );
        Assert.Contains(
            "alerts.yml",
            ((YamlSequenceNode)Read("prometheus.yml")["rule_files"]).Select(file => ((YamlScalarNode)file).Value)
        );
    }

    [Fact]
    public async Task The_rules_pass_their_own_tests()
    {
        var folder = Path.Combine(Repository.Root, "deploy", "prometheus");
        foreach (
            var arguments in new string[][]
            {
                ["check", "config", "prometheus.yml"],
                ["test", "rules", "alerts.test.yml"],
            }
        )
        {
            Process? promtool = null;
            try
            {
                promtool = Process.Start(
                    new ProcessStartInfo("promtool", arguments)
                    {
                        WorkingDirectory = folder,
                        RedirectStandardError = true,
                        RedirectStandardOutput = true,
                    }
                );
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Assert.Skip("promtool is not installed");
            }
            var said = await promtool!.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
            await promtool.WaitForExitAsync();
            Assert.True(promtool.ExitCode == 0, said);
        }
    }

    /// <summary>Metrics in an expression that are not served; those of HTTP and of .NET as well.</summary>
    private IEnumerable<string> Unknown(string expression) =>
        MetricName()
            .Matches(expression)
            .Select(match => match.Value)
            .Where(name =>
                !_scrape.Types.ContainsKey(name)
                && !(Suffix().Replace(name, "") is var family && _scrape.Types.GetValueOrDefault(family) == "histogram")
            );

    private IEnumerable<string> LabelsOf(string family) =>
        _scrape
            .Samples.Where(sample => sample.Name == family || Suffix().Replace(sample.Name, "") == family)
            .SelectMany(sample => sample.Labels.Keys)
            .Distinct()
            .Where(label => label != "le");

    private static IEnumerable<(string Name, string Expression)> Rules() =>
        from YamlNode @group in (YamlSequenceNode)Read("alerts.yml")["groups"]
        from YamlNode rule in (YamlSequenceNode)@group["rules"]
        select (((YamlScalarNode)rule["alert"]).Value!, ((YamlScalarNode)rule["expr"]).Value!);

    private static YamlNode Read(string name)
    {
        var yaml = new YamlStream();
        using var reader = File.OpenText(Path.Combine(Repository.Root, "deploy", "prometheus", name));
        yaml.Load(reader);
        return yaml.Documents.Single().RootNode;
    }

    [GeneratedRegex(@"^\| `(?<name>padim_\w+)` \| (?<type>\w+) \|(?<labels>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex LabelName();

    [GeneratedRegex(@"\b(?:padim|http_server|kestrel|dotnet)_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();
}
