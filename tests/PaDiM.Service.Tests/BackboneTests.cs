using System.Net.Http.Json;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary><c>GET /v1/backbones</c>, and what categories make of the catalogue.</summary>
public sealed class BackboneTests(SharedService shared)
{
    [Fact]
    public async Task The_list_shows_what_is_there_and_what_can_be_installed()
    {
        var list = await shared.Http.GetJsonAsync("/v1/backbones");
        Assert.Null(list["nextCursor"]);
        var tiny = list.Items().Single(backbone => backbone.Text("name") == "tiny");
        Assert.Equal("built-in", tiny.Text("state"));
        Assert.Matches("^[0-9a-f]{64}$", tiny.Text("sha256"));
        Assert.True(tiny.Number("sizeBytes") > 1e6);
        Assert.Equal([4, 8, 16], tiny.Items("taps").Select(tap => tap["stride"]!.GetValue<int>()));
        var wide = list.Items().Single(backbone => backbone.Text("name") == "wide_resnet50_2");
        Assert.Equal(("available", "wide_resnet50_2"), (wide.Text("state"), wide.Text("architecture")));
        Assert.Equal(
            (550, "random"),
            (wide["defaults"]!["dimensions"]!.GetValue<int>(), wide["defaults"]!.Text("reduction"))
        );
        Assert.StartsWith("https://download.pytorch.org/", wide.Text("origin"), StringComparison.Ordinal);
        Assert.Contains("BSD-3-Clause", wide.Text("licence"), StringComparison.Ordinal);
        Assert.Null(wide["sha256"]);
        Assert.Equal(
            64,
            list.Items().Single(backbone => backbone.Text("name") == "resnet18").Text("weightsSha256").Length
        );
    }

    [Fact]
    public async Task A_backbone_that_is_only_in_the_catalogue_is_answered_with_how_to_install_it()
    {
        var problem = await (
            await shared.Http.PutAsJsonAsync($"/v1/categories/{shared.NewName()}", new { backbone = "efficientnet_b5" })
        ).ProblemAsync(422, "backbone_not_found");
        Assert.Contains("padim backbones pull efficientnet_b5", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_profile_paper_takes_the_dimensions_of_the_backbone()
    {
        using var data = new TempDirectory();
        Directory.CreateDirectory(data.Combine("nets"));
        File.WriteAllBytes(data.Combine("nets", "own.onnx"), OnnxGraph.Classifier(-1, 3, -1, -1).ToArray());
        File.WriteAllText(data.Combine("nets", "own.json"), """{"dimensions":6}""");
        File.WriteAllText(data.Combine("nets", "broken.onnx"), "");
        File.WriteAllText(data.Combine("nets", "broken.json"), """{"dimensions":0}""");
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("BackboneDirectories:0", data.Combine("nets"))
        );
        Assert.Equal(6, await DimensionsAsync(new { backbone = "own", profile = "paper" }));
        Assert.Equal(
            4,
            await DimensionsAsync(
                new
                {
                    backbone = "own",
                    profile = "paper",
                    reduction = new { dimensions = 4 },
                }
            )
        );
        Assert.Equal(100, await DimensionsAsync(new { backbone = "tiny", profile = "paper" }));
        var list = (await service.Http.GetJsonAsync("/v1/backbones")).Items();
        Assert.Equal(
            ("installed", 6),
            (
                list.Single(backbone => backbone.Text("name") == "own").Text("state"),
                list.Single(backbone => backbone.Text("name") == "own")["defaults"]!["dimensions"]!.GetValue<int>()
            )
        );
        Assert.Contains(
            "dimensions",
            list.Single(backbone => backbone.Text("name") == "broken").Text("error"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "dimensions",
            (
                await (
                    await service.Http.PutAsJsonAsync("/v1/categories/part", new { backbone = "broken" })
                ).ProblemAsync(422, "backbone_unusable")
            ).Text("detail"),
            StringComparison.Ordinal
        );
        // Settings that no backbone could serve are refused before one is opened.
        File.WriteAllText(data.Combine("nets", "empty.onnx"), "");
        Assert.Contains(
            "reviewRate",
            (
                await (
                    await service.Http.PutAsJsonAsync(
                        "/v1/categories/part",
                        new
                        {
                            backbone = "empty",
                            falseRejectRate = 0.1,
                            reviewRate = 0.01,
                        }
                    )
                ).ProblemAsync(422, "invalid_settings")
            ).Text("detail"),
            StringComparison.Ordinal
        );
        await (await service.Http.PutAsJsonAsync("/v1/categories/part", new { backbone = "empty" })).ProblemAsync(
            422,
            "backbone_unusable"
        );

        async Task<int> DimensionsAsync(object settings)
        {
            var response = await service.Http.PutAsJsonAsync("/v1/categories/part", settings);
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            return (await service.Http.GetJsonAsync("/v1/categories/part"))["reduction"]![
                "dimensions"
            ]!.GetValue<int>();
        }
    }
}
