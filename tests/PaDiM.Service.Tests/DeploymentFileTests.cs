using System.Diagnostics;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The files for containers and clusters name settings that exist.</summary>
public sealed partial class DeploymentFileTests
{
    private static readonly Type[] Options =
    [
        .. typeof(Program).Assembly.GetTypes().Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal)),
    ];

    public static TheoryData<string> Files =>
        [
            "Dockerfile",
            "docker-compose.yml",
            .. Directory
                .EnumerateFiles(Path.Combine(Repository.Root, "deploy"), "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Repository.Root, path))
                .Where(path => !path.StartsWith("deploy/backbones", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_setting_exists(string file)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, file));
        var names = Variable().Matches(text).Select(match => match.Groups[1].Value);
        if (file.EndsWith("chart/values.yaml", StringComparison.Ordinal))
        {
            var settings = SettingsOfChart().Match(text);
            Assert.True(settings.Success);
            names = names.Concat(
                settings
                    .Groups[1]
                    .Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => line.Split(':')[0].Trim())
            );
        }
        Assert.All(
            names.Where(name => name.Length > 0),
            name => Assert.True(Exists(name.Split("__")), $"{file}: {name}")
        );
    }

    /// <summary>Strict: a field that Kubernetes does not know is an error.</summary>
    [Theory]
    [InlineData("score.yaml", typeof(V1Deployment))]
    [InlineData("fit.yaml", typeof(V1Deployment))]
    [InlineData("services.yaml", typeof(V1Service))]
    [InlineData("autoscaler.yaml", typeof(V2HorizontalPodAutoscaler))]
    [InlineData("disruption-budget.yaml", typeof(V1PodDisruptionBudget))]
    [InlineData("network-policy.yaml", typeof(V1NetworkPolicy))]
    [InlineData("namespace.yaml", typeof(V1Namespace))]
    [InlineData("service-account.yaml", typeof(V1ServiceAccount))]
    [InlineData("settings.yaml", typeof(V1ConfigMap))]
    [InlineData("secret.yaml", typeof(V1Secret))]
    public void Manifests_have_the_fields_of_their_kind(string file, Type kind)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "kubernetes", "base", file));
        Assert.IsType(kind, Assert.Single(KubernetesYaml.LoadAllFromString(text, strict: true)));
    }

    /// <summary>The chart, where Helm is there to render it.</summary>
    [Fact]
    public async Task The_chart_renders_to_manifests_with_the_fields_of_their_kind()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "helm")));
        Assert.SkipUnless(found, "Helm is absent.");
        foreach (
            var values in new[]
            {
                "gpu.enabled=false",
                "gpu.enabled=true,ingress.enabled=true,autoscaling.enabled=false",
            }
        )
        {
            using var helm = Process.Start(
                new ProcessStartInfo(
                    "helm",
                    [
                        "template",
                        "line",
                        Path.Combine(Repository.Root, "deploy", "kubernetes", "chart"),
                        "--set",
                        values,
                    ]
                )
                {
                    RedirectStandardOutput = true,
                }
            )!;
            var text = await helm.StandardOutput.ReadToEndAsync();
            await helm.WaitForExitAsync();
            Assert.Equal(0, helm.ExitCode);
            Assert.InRange(KubernetesYaml.LoadAllFromString(text, strict: true).Count, 8, 10);
        }
    }

    /// <summary>What a replica that stops still needs after the balancer has left it.</summary>
    [Fact]
    public void The_grace_period_is_that_of_the_drain_and_thirty_seconds_more()
    {
        var kubernetes = Path.Combine(Repository.Root, "deploy", "kubernetes", "base");
        var settings = File.ReadAllText(Path.Combine(kubernetes, "settings.yaml"));
        var drain = int.Parse(Regex.Match(settings, @"Padim__DrainSeconds: ""(\d+)""").Groups[1].Value);
        foreach (var file in new[] { "score.yaml", "fit.yaml" })
            Assert.Contains(
                $"terminationGracePeriodSeconds: {drain + 30}\n",
                File.ReadAllText(Path.Combine(kubernetes, file)),
                StringComparison.Ordinal
            );
    }

    private static bool Exists(string[] path) =>
        Options.Any(type => type.GetProperty(path[0]) is { } property && Exists(property.PropertyType, path[1..]));

    private static bool Exists(Type type, string[] path) =>
        path is not [var name, .. var rest]
        || (
            type.IsArray
                ? int.TryParse(name, out _)
                : type.GetProperty(name) is { } property && Exists(property.PropertyType, rest)
        );

    [GeneratedRegex(@"\bPadim__(\w*)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\nsettings:\n((?:  .*\n)+)")]
    private static partial Regex SettingsOfChart();
}
