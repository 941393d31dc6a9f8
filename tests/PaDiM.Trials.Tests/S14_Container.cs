using PaDiM.TestSupport;

namespace PaDiM.Trials;

/// <summary>
/// What the container files promise, read and not run: <c>tests/containers/check.sh</c> builds and runs them.
/// </summary>
public sealed class S14_Container
{
    /// <summary>The programs set it themselves; this also covers what runs beside them.</summary>
    private const string NoTelemetry = "ORT_DISABLE_TELEMETRY=1";

    [Fact]
    public void Every_image_runs_as_a_user_that_is_not_root_and_by_no_shell()
    {
        var stages = File.ReadAllText(Path.Combine(Repository.Root, "Dockerfile"))
            .Split("\nFROM ")
            .Skip(1)
            .Where(stage => stage.Contains("ENTRYPOINT", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(2, stages.Length);
        Assert.All(
            stages,
            stage =>
            {
                Assert.Matches(@"\nUSER (\$APP_UID|[1-9]\d+)\n", stage);
                Assert.Matches(@"\nENTRYPOINT \[", stage);
                Assert.DoesNotMatch(@"\n(RUN|ADD) ", stage);
                // Crash dumps would be written where nothing may be.
                Assert.Contains("DOTNET_EnableDiagnostics=0", stage, StringComparison.Ordinal);
                Assert.Contains(NoTelemetry, stage, StringComparison.Ordinal);
            }
        );
        Assert.Contains("-chiseled", stages[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_composition_takes_away_what_the_service_does_not_need()
    {
        var compose = File.ReadAllText(Path.Combine(Repository.Root, "docker-compose.yml"));
        foreach (var line in new[] { "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true" })
            Assert.Contains(line, compose, StringComparison.Ordinal);
        Assert.DoesNotContain("privileged: true", compose, StringComparison.Ordinal);
        Assert.Contains("ORT_DISABLE_TELEMETRY: \"1\"", compose, StringComparison.Ordinal);
    }

    [Fact]
    public void The_unit_switches_telemetry_off_too() =>
        Assert.Matches(
            $@"\nEnvironment=.*\b{NoTelemetry}\b",
            File.ReadAllText(Path.Combine(Repository.Root, "deploy", "systemd", "padim.service"))
        );
}
