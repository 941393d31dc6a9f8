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
    [InlineData("replica/deployment.yaml", typeof(V1Deployment))]
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

    /// <summary>What is applied, where kubectl is there to put it together.</summary>
    [Theory]
    [InlineData("base", "registry.example/padim:1.0.0", "cpu")]
    [InlineData("gpu", "registry.example/padim:1.0.0-gpu", "nvidia.com/gpu")]
    public async Task The_overlays_make_replicas_that_score_and_replicas_that_fit(
        string folder,
        string image,
        string resource
    )
    {
        var manifests = KubernetesYaml.LoadAllFromString(
            await RenderAsync("kubectl", "kustomize", Path.Combine(Repository.Root, "deploy", "kubernetes", folder)),
            strict: true
        );
        Assert.Equal(10, manifests.Count);
        var replicas = manifests.OfType<V1Deployment>().OrderBy(replica => replica.Metadata.Name).ToArray();
        Assert.Equal(["padim-fit", "padim-score"], replicas.Select(replica => replica.Metadata.Name));
        foreach (var replica in replicas)
        {
            var role = replica.Metadata.Name["padim-".Length..];
            var pod = replica.Spec.Template;
            var container = Assert.Single(pod.Spec.Containers);
            Assert.Equal(image, container.Image);
            Assert.Equal(role, container.Env.Single(variable => variable.Name == "Padim__Role").Value);
            Assert.Contains(resource, container.Resources.Limits.Keys.Concat(container.Resources.Requests.Keys));
            Assert.Equal(role, replica.Spec.Selector.MatchLabels["app.kubernetes.io/component"]);
            Assert.Equal(role, pod.Metadata.Labels["app.kubernetes.io/component"]);
            Assert.All(
                pod.Spec.TopologySpreadConstraints,
                constraint => Assert.Equal(role, constraint.LabelSelector.MatchLabels["app.kubernetes.io/component"])
            );
        }
        var service = manifests.OfType<V1Service>().Single(found => found.Metadata.Name == "padim");
        Assert.Equal("score", service.Spec.Selector["app.kubernetes.io/component"]);
    }

    /// <summary>Probes and volumes of the chart are those of the manifests, line by line.</summary>
    [Theory]
    [InlineData("startupProbe:", "resources:")]
    [InlineData("volumeMounts:", "volumes:")]
    public void The_chart_and_the_manifests_have_the_same_replicas(string from, string to)
    {
        Assert.Equal(Cut("base", "replica", "deployment.yaml"), Cut("chart", "templates", "_helpers.tpl"));

        string[] Cut(params string[] path)
        {
            var text = File.ReadAllText(Path.Combine([Repository.Root, "deploy", "kubernetes", .. path]));
            var start = text.IndexOf(from, StringComparison.Ordinal);
            var end = text.IndexOf(to, start, StringComparison.Ordinal);
            Assert.True(start >= 0 && end > start);
            return [.. text[start..end].Split('\n').Select(line => line.Trim())];
        }
    }

    /// <summary>The chart, where Helm is there to render it.</summary>
    [Fact]
    public async Task The_chart_renders_to_manifests_with_the_fields_of_their_kind()
    {
        foreach (
            var values in new[]
            {
                "gpu.enabled=false",
                "gpu.enabled=true,ingress.enabled=true,autoscaling.enabled=false",
            }
        )
        {
            var text = await RenderAsync(
                "helm",
                "template",
                "line",
                Path.Combine(Repository.Root, "deploy", "kubernetes", "chart"),
                "--set",
                values
            );
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
        Assert.Contains(
            $"terminationGracePeriodSeconds: {drain + 30}\n",
            File.ReadAllText(Path.Combine(kubernetes, "replica", "deployment.yaml")),
            StringComparison.Ordinal
        );
    }

    /// <summary>Runs a program that prints manifests; skips the test where it is absent.</summary>
    private static async Task<string> RenderAsync(string program, params string[] arguments)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
        Assert.SkipUnless(found, $"{program} is absent.");
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return text;
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
