namespace PaDiM.Service.Tests.Telemetry;

[Collection<BusyTests>]
public sealed class MetricsTests(BusyService busy)
{
    private static readonly string[] Stages = ["queue", "decode", "embed", "distance", "postprocess"];

    private readonly Scrape _scrape = busy.Scrape;

    [Fact]
    public void Every_family_has_a_type_a_help_and_samples()
    {
        foreach (
            var (name, type) in _scrape.Types.Where(family => family.Key.StartsWith("padim_", StringComparison.Ordinal))
        )
        {
            Assert.True(_scrape.Helps.TryGetValue(name, out var help) && help.EndsWith('.'), name);
            Assert.Contains(
                _scrape.Samples,
                sample => sample.Name == name || (type == "histogram" && sample.Name == name + "_bucket")
            );
            Assert.Equal(type == "counter", name.EndsWith("_total", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_image_is_counted_in_every_stage()
    {
        // Those of the category that is gone and of the trial are images, too.
        const int scored = BusyService.Good + BusyService.Bad + 2;
        Assert.All(
            Stages,
            stage => Assert.Equal(scored, _scrape.Value("padim_score_stage_duration_seconds_count", ("stage", stage)))
        );
        Assert.Equal(scored, _scrape.Value("padim_score_duration_seconds_count"));
        Assert.True(
            _scrape.Value("padim_score_duration_seconds_sum")
                > _scrape.Value("padim_score_stage_duration_seconds_sum", ("stage", "embed"))
        );
        Assert.Equal(scored, _scrape.Value("padim_score_batch_size_sum"));
        Assert.Equal(1, _scrape.Value("padim_score_failures_total", ("code", "image_unreadable")));
        Assert.Equal(
            (0, 4, 0),
            (
                _scrape.Value("padim_score_queue_images"),
                _scrape.Value("padim_score_queue_capacity"),
                _scrape.Value("padim_score_queue_refusals_total")
            )
        );
    }

    [Fact]
    public void Decisions_and_scores_are_told_by_category()
    {
        var decided = _scrape
            .Samples.Where(sample =>
                sample.Name == "padim_score_decisions_total" && sample.Labels["category"] == "flange"
            )
            .ToDictionary(sample => sample.Labels["decision"], sample => sample.Value);
        Assert.Equal(BusyService.Good + BusyService.Bad + 1, decided.Values.Sum());
        Assert.True(decided["anomalous"] >= BusyService.Bad);
        // At or above the threshold, and above the bound of 1, are the same but for a score that equals it.
        var below = _scrape.Value("padim_score_threshold_ratio_bucket", ("category", "flange"), ("le", "1"));
        Assert.Equal(
            decided["anomalous"],
            _scrape.Value("padim_score_threshold_ratio_count", ("category", "flange")) - below
        );
        Assert.Equal(1, _scrape.Value("padim_model_version", ("category", "flange")));
        Assert.Equal(0, _scrape.Value("padim_model_unusable", ("category", "flange")));
        Assert.Equal(1.0 / 21, _scrape.Value("padim_model_expected_reject_ratio", ("category", "flange")), 1e-9);
    }

    [Fact]
    public void Drift_is_measured_and_goes_with_its_category()
    {
        Assert.Equal(
            BusyService.Good + BusyService.Bad + 1,
            _scrape.Value("padim_drift_images", ("category", "flange"))
        );
        Assert.InRange(_scrape.Value("padim_drift_low_p_ratio", ("category", "flange")), 0.1, 0.9);
        Assert.Equal(0, _scrape.Value("padim_drift_detected", ("category", "flange"), ("direction", "higher")));
        Assert.DoesNotContain(
            _scrape.Samples,
            sample =>
                sample.Name.StartsWith("padim_drift", StringComparison.Ordinal) && sample.Labels["category"] == "gone"
        );
    }

    [Fact]
    public void Jobs_models_and_the_machine_are_told()
    {
        Assert.Equal(
            2,
            _scrape.Value("padim_job_attempt_duration_seconds_count", ("kind", "fit"), ("outcome", "succeeded"))
        );
        Assert.Equal(
            (0, 0),
            (
                _scrape.Value("padim_jobs", ("kind", "fit"), ("state", "queued")),
                _scrape.Value("padim_jobs", ("kind", "evaluation"), ("state", "failed"))
            )
        );
        Assert.Equal(2, _scrape.Value("padim_model_load_duration_seconds_count", ("result", "loaded")));
        Assert.Equal(1, _scrape.Value("padim_model_cache_models"));
        Assert.True(_scrape.Value("padim_model_cache_bytes") > 100_000);
        Assert.Equal(1, _scrape.Value("padim_backbone_open", ("backbone", "tiny")));
        Assert.True(
            _scrape.Value("padim_disk_free_bytes") is > 0 and var free && free < _scrape.Value("padim_disk_size_bytes")
        );
        Assert.True(_scrape.Value("padim_process_resident_memory_bytes") > 50_000_000);
        Assert.True(_scrape.Value("padim_process_handles") > 10);
    }

    [Fact]
    public void Requests_are_told_by_the_pattern_of_their_route()
    {
        Assert.Equal(
            BusyService.Good + BusyService.Bad + 2,
            _scrape.Value(
                "http_server_request_duration_seconds_count",
                ("http_route", "/v1/categories/{category}/score/"),
                ("http_request_method", "POST"),
                ("http_response_status_code", "200")
            )
        );
        Assert.DoesNotContain(
            _scrape.Samples,
            sample =>
                sample.Labels.GetValueOrDefault("http_route")?.Contains("nowhere", StringComparison.Ordinal) is true
        );
    }
}
