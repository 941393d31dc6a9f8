using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Service.Tests;

/// <summary>The Open Inference Protocol over HTTP: <c>/v2</c>.</summary>
public sealed class OpenInferenceTests(SharedService shared)
{
    [Fact]
    public async Task The_server_says_what_it_is_and_that_it_lives_and_scores()
    {
        // With a model in memory it scores, whatever the database does.
        await shared.FittedAsync();
        var server = await shared.Http.GetJsonAsync("/v2");
        Assert.Equal("padim", server.Text("name"));
        Assert.NotEqual("", server.Text("version"));
        Assert.Contains("binary_tensor_data", server["extensions"]!.AsArray().Select(name => (string?)name));
        Assert.True((bool)(await shared.Http.GetJsonAsync("/v2/health/live"))["live"]!);
        Assert.True((bool)(await shared.Http.GetJsonAsync("/v2/health/ready"))["ready"]!);
    }

    [Fact]
    public async Task A_model_has_its_versions_and_tensors_and_is_ready()
    {
        var category = await shared.FittedAsync();
        var model = await shared.Http.GetJsonAsync(Url(category));
        Assert.Equal(category.Name, model.Text("name"));
        Assert.Equal("padim_safetensors", model.Text("platform"));
        Assert.Equal(["1"], model["versions"]!.AsArray().Select(version => (string?)version));
        Assert.Equal("""[{"name":"image","datatype":"BYTES","shape":[-1]}]""", model["inputs"]!.ToJsonString());
        Assert.Equal(
            ["score", "threshold", "p_value", "decision", "inspection_id", "warnings", "map"],
            model.Items("outputs").Select(output => output.Text("name"))
        );
        Assert.Equal(
            model.ToJsonString(),
            (await shared.Http.GetJsonAsync($"{Url(category)}/versions/1")).ToJsonString()
        );
        foreach (var version in new[] { "", "/versions/1" })
            Assert.Equal(
                $$"""{"name":"{{category.Name}}","ready":true}""",
                (await shared.Http.GetJsonAsync($"{Url(category)}{version}/ready")).ToJsonString()
            );
    }

    [Fact]
    public async Task A_category_without_a_model_is_not_ready()
    {
        var category = await shared.NewCategoryAsync();
        var ready = await (await shared.Http.GetAsync($"{Url(category)}/ready")).JsonAsync(409);
        Assert.False((bool)ready["ready"]!);
        var error = await (await InferAsync(category, File(Parts.Good(1)))).JsonAsync(409);
        Assert.StartsWith("model_not_ready: ", error.Text("error"), StringComparison.Ordinal);
        var listed = await IndexAsync("{}");
        Assert.Equal("UNAVAILABLE", listed.Single(model => model.Text("name") == category.Name).Text("state"));
        Assert.DoesNotContain(await IndexAsync("""{"ready":true}"""), model => model.Text("name") == category.Name);
    }

    [Fact]
    public async Task An_image_scores_as_at_the_address_of_its_category()
    {
        var category = await shared.FittedAsync();
        var expected = await category.ScoreAsync(Parts.Bad(1));
        var answer = await (
            await InferAsync(
                category,
                new
                {
                    id = "42",
                    parameters = new { shift = "night", retry = 2 },
                    inputs = new[] { Input(Parts.Bad(1)) },
                }
            )
        ).JsonAsync(200);
        Assert.Equal("42", answer.Text("id"));
        Assert.Equal("""{"shift":"night","retry":2}""", answer["parameters"]!.ToJsonString());
        Assert.Equal((category.Name, "1"), (answer.Text("model_name"), answer.Text("model_version")));
        Assert.Equal(
            ["score", "threshold", "p_value", "decision", "inspection_id", "warnings"],
            answer.Items("outputs").Select(output => output.Text("name"))
        );
        Assert.Equal(expected.Number("score"), Value(answer, "score").GetValue<double>(), 1e-4);
        Assert.Equal(expected.Number("threshold"), Value(answer, "threshold").GetValue<double>());
        Assert.Equal(expected.Number("pValue"), Value(answer, "p_value").GetValue<double>());
        Assert.Equal("anomalous", Value(answer, "decision").GetValue<string>());
        Assert.All(answer.Items("outputs"), output => Assert.Equal("[1]", output["shape"]!.ToJsonString()));
    }

    [Fact]
    public async Task Pixels_may_be_nested_or_flat_and_grey_or_colour()
    {
        var category = await shared.FittedAsync();
        var part = SyntheticParts.Good(3, Parts.Side);
        var expected = (await category.ScoreAsync(Parts.Good(3))).Number("score");
        var flat = part.Pixels.Select(sample => (int)sample).ToArray();
        var nested = flat.Chunk(3).Chunk(Parts.Side).ToArray();
        foreach (object data in new object[] { flat, new[] { nested } })
        {
            var answer = await (
                await InferAsync(category, Tensor("UINT8", [1, Parts.Side, Parts.Side, 3], data))
            ).JsonAsync(200);
            Assert.Equal(expected, Value(answer, "score").GetValue<double>(), 1e-4);
        }
        await (
            await InferAsync(
                category,
                Tensor("UINT8", [2, Parts.Side, Parts.Side, 1], new byte[2 * Parts.Side * Parts.Side].Select(_ => 7))
            )
        ).JsonAsync(200);
    }

    [Fact]
    public async Task Binary_data_goes_in_and_out()
    {
        var category = await shared.FittedAsync();
        var npy = await (
            await category.SendScoreAsync(Parts.Bad(2), accept: "application/x-npy")
        ).Content.ReadAsByteArrayAsync();
        byte[][] files = [Parts.Bad(2), Parts.Good(2)];
        byte[] data = [.. files.SelectMany(Element)];
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                inputs = new[]
                {
                    new
                    {
                        name = "image",
                        shape = new[] { 2 },
                        datatype = "BYTES",
                        parameters = new { binary_data_size = data.Length },
                    },
                },
                outputs = new object[]
                {
                    new { name = "map", parameters = new { binary_data = true } },
                    new { name = "decision", parameters = new { binary_data = true } },
                    new { name = "score", parameters = new { binary_data = true } },
                    new { name = "threshold" },
                },
            }
        );
        var response = await SendBinaryAsync(category, header, data);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
        var body = await response.Content.ReadAsByteArrayAsync();
        var length = int.Parse(
            response.Headers.GetValues("Inference-Header-Content-Length").Single(),
            System.Globalization.CultureInfo.InvariantCulture
        );
        var answer = JsonNode.Parse(body.AsSpan(0, length))!;
        var outputs = answer.Items("outputs");
        var at = length;
        var map = Take(outputs[0]);
        var side = (int)outputs[0]["shape"]![1]!;
        Assert.Equal(2 * side * side * sizeof(float), map.Length);
        Assert.Equal(npy[^(side * side * sizeof(float))..], map[..(side * side * sizeof(float))].ToArray());
        var decisions = Take(outputs[1]);
        Assert.Equal([.. Element("anomalous"u8.ToArray()), .. Element("normal"u8.ToArray())], decisions.ToArray());
        var scores = MemoryMarshal.Cast<byte, double>(Take(outputs[2])).ToArray();
        Assert.Equal((await category.ScoreAsync(Parts.Bad(2))).Number("score"), scores[0], 1e-4);
        Assert.True(scores[1] < (double)outputs[3]["data"]![0]!);
        Assert.Equal(body.Length, at);

        Span<byte> Take(JsonNode output)
        {
            var size = (int)output["parameters"]!["binary_data_size"]!;
            Assert.Null(output["data"]);
            at += size;
            return body.AsSpan(at - size, size);
        }
    }

    [Fact]
    public async Task Binary_pixels_score_as_their_file_does()
    {
        var category = await shared.FittedAsync();
        var pixels = SyntheticParts.Good(4, Parts.Side).Pixels;
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                parameters = new { binary_data_output = true },
                inputs = new[]
                {
                    new
                    {
                        name = "image",
                        shape = new[] { 1, Parts.Side, Parts.Side, 3 },
                        datatype = "UINT8",
                        parameters = new { binary_data_size = pixels.Length },
                    },
                },
                outputs = new object[] { new { name = "score" } },
            }
        );
        var body = await (await SendBinaryAsync(category, header, pixels)).Content.ReadAsByteArrayAsync();
        Assert.Equal(
            (await category.ScoreAsync(Parts.Good(4))).Number("score"),
            BinaryPrimitives.ReadDoubleLittleEndian(body.AsSpan(body.Length - sizeof(double))),
            1e-4
        );
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 1)]
    public async Task Binary_data_of_another_length_is_refused(int announced, int sent)
    {
        var category = await shared.FittedAsync();
        var data = Element(Parts.Good(1));
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                inputs = new[]
                {
                    new
                    {
                        name = "image",
                        shape = new[] { 1 },
                        datatype = "BYTES",
                        parameters = new { binary_data_size = data.Length + announced },
                    },
                },
            }
        );
        Array.Resize(ref data, data.Length + sent);
        await ErrorAsync(await SendBinaryAsync(category, header, data), 400, "invalid_request");
    }

    [Fact]
    public async Task A_map_is_a_tensor_that_only_comes_when_it_is_asked_for()
    {
        var category = await shared.FittedAsync();
        var answer = await (
            await InferAsync(
                category,
                new { inputs = new[] { Input(Parts.Bad(1)) }, outputs = new[] { new { name = "map" } } }
            )
        ).JsonAsync(200);
        var map = answer.Items("outputs").Single();
        Assert.Equal(("map", "FP32"), (map.Text("name"), map.Text("datatype")));
        var shape = map["shape"]!.AsArray().Select(extent => (int)extent!).ToArray();
        Assert.Equal(3, shape.Length);
        Assert.Equal(shape[0] * shape[1] * shape[2], map["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task An_image_without_a_result_fails_its_request_and_is_named()
    {
        var category = await shared.FittedAsync();
        var error = await ErrorAsync(
            await InferAsync(category, Files(Parts.Good(1), Encoding.ASCII.GetBytes("no image"), Parts.Good(2))),
            422,
            "image_unreadable"
        );
        Assert.Contains("Image 1 of the tensor", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_image_is_an_inspection()
    {
        var category = await shared.FittedAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Url(category)}/infer")
        {
            Content = JsonContent.Create(Files(Parts.Bad(8), Parts.Good(8))),
        };
        request.Headers.Add("X-Inspection-Id", "oip-batch");
        request.Headers.Add("X-Station-Id", "press");
        var answer = await (await shared.Http.SendAsync(request)).JsonAsync(200);
        Assert.Equal(
            ["oip-batch-1", "oip-batch-2"],
            Output(answer, "inspection_id")["data"]!.AsArray().Select(id => (string?)id)
        );
        await Eventually.TrueAsync(
            async () =>
                (
                    await shared.Http.GetAsync($"/v1/inspections/oip-batch-2?category={category.Name}")
                ).IsSuccessStatusCode,
            () => "The inspection is not in the ledger."
        );
    }

    [Fact]
    public async Task Statistics_count_what_a_version_has_scored()
    {
        var category = await shared.FittedAsync();
        var before = await CountAsync();
        await category.ScoreAsync(Parts.Good(1));
        await InferAsync(category, Files(Parts.Good(1), Parts.Good(2)));
        Assert.Equal(before + 3, await CountAsync());
        var all = await shared.Http.GetJsonAsync("/v2/models/stats");
        Assert.Contains(all.Items("model_stats"), model => model.Text("name") == category.Name);

        async Task<long> CountAsync() =>
            (await shared.Http.GetJsonAsync($"{Url(category)}/versions/1/stats"))
                .Items("model_stats")
                .Sum(model => (long)model["inference_stats"]!["success"]!["count"]!);
    }

    [Fact]
    public async Task The_index_lists_every_version()
    {
        var category = await shared.FittedAsync();
        foreach (var body in new[] { "", "{}", """{"ready":true}""", """{"repository_name":""}""" })
        {
            var entry = (await IndexAsync(body)).Single(model => model.Text("name") == category.Name);
            Assert.Equal(("1", "READY"), (entry.Text("version"), entry.Text("state")));
        }
    }

    public static TheoryData<string> Damaged =>
        [
            "",
            "{",
            "[]",
            "null",
            "{}",
            """{"inputs":[]}""",
            """{"inputs":{}}""",
            """{"inputs":[{}]}""",
            """{"inputs":[1]}""",
            """{"id":7,"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":[]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":[1]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["P2 1 1 255 0"]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA==","AA=="]}]}""",
            """{"inputs":[{"name":"image","shape":[0],"datatype":"BYTES","data":[]}]}""",
            """{"inputs":[{"name":"image","shape":[-1],"datatype":"BYTES","data":[]}]}""",
            """{"inputs":[{"name":"image","shape":[1.5],"datatype":"BYTES","data":["AA=="]}]}""",
            """{"inputs":[{"name":"image","shape":[9223372036854775808],"datatype":"BYTES","data":[]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,1,1,1,1,1,1],"datatype":"BYTES","data":[]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[1]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,3],"datatype":"UINT8","data":[1,2]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,3],"datatype":"UINT8","data":[1,2,3,4]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,3],"datatype":"UINT8","data":[1,2,256]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,3],"datatype":"UINT8","data":[1,2,"3"]}]}""",
            """{"inputs":[{"name":"image","shape":[1,1,1,2],"datatype":"UINT8","data":[1,2]}]}""",
            """{"inputs":[{"name":"image","shape":[1,30000,30000,3],"datatype":"UINT8","data":[1]}]}""",
            """{"inputs":[{"name":"input0","shape":[1],"datatype":"BYTES","data":["AA=="]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":4}}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":[],"data":["AA=="]}]}""",
            """{"parameters":{"a":{}},"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}],"outputs":[{"name":"x"}]}""",
            """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}]} {}""",
            """{"id":"\ud800","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}]}""",
            // The example of the specification: two inputs that no category has.
            """
                {"id":"42","inputs":[{"name":"input0","shape":[2,2],"datatype":"UINT32","data":[1,2,3,4]},
                {"name":"input1","shape":[3],"datatype":"BOOL","data":[true]}],"outputs":[{"name":"output0"}]}
                """,
        ];

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task What_is_no_request_to_infer_is_refused(string body)
    {
        var category = await shared.FittedAsync();
        var response = await shared.Http.PostAsync(
            $"{Url(category)}/infer",
            new StringContent(body, Encoding.UTF8, "application/json")
        );
        var error = (await response.JsonAsync((int)response.StatusCode)).Text("error");
        Assert.InRange((int)response.StatusCode, 400, 422);
        Assert.Matches("^[a-z_]+: ", error);
    }

    [Fact]
    public async Task Damaged_requests_never_break()
    {
        var category = await shared.FittedAsync();
        var valid = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                id = "42",
                parameters = new { binary_data_output = true },
                inputs = new[] { Input([.. "P5 1 1 255 a"u8]) },
                outputs = new[] { new { name = "score" } },
            }
        );
        var random = new Random(7);
        for (var i = 0; i < 150; i++)
        {
            var damaged = valid[..random.Next(i % 2 == 0 ? valid.Length : 0, valid.Length + 1)];
            for (var change = random.Next(4); change > 0 && damaged.Length > 0; change--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{Url(category)}/infer")
            {
                Content = new ByteArrayContent(damaged),
            };
            if (i % 3 == 0)
                request.Headers.Add("Inference-Header-Content-Length", $"{random.Next(valid.Length)}");
            using var response = await shared.Http.SendAsync(request);
            Assert.True((int)response.StatusCode < 500, Encoding.Latin1.GetString(damaged));
            if (!response.IsSuccessStatusCode)
                Assert.Matches("^[a-z_]+: ", (await response.JsonAsync((int)response.StatusCode)).Text("error"));
        }
    }

    [Fact]
    public async Task Errors_have_the_shape_of_the_protocol_wherever_they_come_from()
    {
        var category = await shared.FittedAsync();
        await ErrorAsync(await shared.Http.GetAsync("/v2/nowhere"), 404, "route_not_found");
        await ErrorAsync(await shared.Http.GetAsync($"{Url(category)}/infer"), 405, "method_not_allowed");
        await ErrorAsync(await shared.Http.GetAsync("/v2/models/none"), 404, "category_not_found");
        await ErrorAsync(await shared.Http.GetAsync("/v2/models/none/ready"), 404, "category_not_found");
        await ErrorAsync(await shared.Http.GetAsync("/v2/models/none/stats"), 404, "category_not_found");
        await ErrorAsync(await shared.Http.GetAsync($"{Url(category)}/versions/9"), 404, "model_not_found");
        await ErrorAsync(await shared.Http.GetAsync($"{Url(category)}/versions/x/ready"), 404, "model_not_found");
        await ErrorAsync(await shared.Http.GetAsync("/v2/models/N%20O"), 400, "invalid_name");
        await ErrorAsync(
            await shared.Http.PostAsync("/v2/repository/index", new StringContent("?")),
            400,
            "invalid_request"
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Url(category)}/infer");
        request.Headers.Add("X-Deadline-Ms", "soon");
        await ErrorAsync(await shared.Http.SendAsync(request), 400, "invalid_request");
    }

    [Fact]
    public async Task Keys_see_their_categories_and_are_limited_as_everywhere()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("RequestsPerMinute", 60));
        await service.Category("flange").CreateAsync();
        await service.Category("bolt").CreateAsync();
        using var restricted = service.With((await service.KeyAsync(AccessScope.Score, ["bolt"])).Text);
        await ErrorAsync(await service.Http.GetAsync("/v2"), 401, "unauthenticated");
        Assert.True((await service.Http.GetAsync("/v2/health/ready")).IsSuccessStatusCode);
        await ErrorAsync(await restricted.GetAsync("/v2/models/flange"), 403, "category_forbidden");
        await ErrorAsync(await restricted.PostAsync("/v2/models/flange/infer", null), 403, "category_forbidden");
        await (await restricted.GetAsync("/v2/models/bolt")).JsonAsync(200);
        var index = await (await restricted.PostAsync("/v2/repository/index", null)).JsonAsync(200);
        Assert.Equal(["bolt"], index.AsArray().Select(model => model!.Text("name")));
        HttpResponseMessage limited;
        do limited = await restricted.GetAsync("/v2");
        while (limited.IsSuccessStatusCode);
        Assert.True(limited.Headers.Contains("Retry-After"));
        await ErrorAsync(limited, 429, "rate_limited");
    }

    private static string Url(CategoryClient category) => $"/v2/models/{category.Name}";

    private static object Input(params byte[][] files) =>
        new
        {
            name = "image",
            shape = new[] { files.Length },
            datatype = "BYTES",
            parameters = new { content_type = "base64" },
            data = files,
        };

    private static object Files(params byte[][] files) => new { inputs = new[] { Input(files) } };

    private static object File(byte[] file) => Files(file);

    private static object Tensor(string datatype, int[] shape, object data) =>
        new
        {
            inputs = new[]
            {
                new
                {
                    name = "image",
                    shape,
                    datatype,
                    data,
                },
            },
        };

    private static byte[] Element(byte[] bytes)
    {
        var element = new byte[sizeof(int) + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(element, bytes.Length);
        bytes.CopyTo(element, sizeof(int));
        return element;
    }

    private static JsonNode Output(JsonNode answer, string name) =>
        answer.Items("outputs").Single(output => output.Text("name") == name);

    private static JsonNode Value(JsonNode answer, string name) => Output(answer, name)["data"]![0]!;

    private Task<HttpResponseMessage> InferAsync(CategoryClient category, object body) =>
        shared.Http.PostAsJsonAsync($"{Url(category)}/infer", body);

    private async Task<HttpResponseMessage> SendBinaryAsync(CategoryClient category, byte[] header, byte[] data)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Url(category)}/infer")
        {
            Content = new ByteArrayContent([.. header, .. data]),
        };
        request.Headers.Add(
            "Inference-Header-Content-Length",
            header.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)
        );
        return await shared.Http.SendAsync(request);
    }

    private async Task<JsonNode[]> IndexAsync(string body)
    {
        var answer = await (await shared.Http.PostAsync("/v2/repository/index", new StringContent(body))).JsonAsync(
            200
        );
        return [.. answer.AsArray().Select(model => model!)];
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response, int status, string code)
    {
        var answer = await response.JsonAsync(status);
        Assert.Equal(["error"], answer.AsObject().Select(member => member.Key));
        Assert.StartsWith($"{code}: ", answer.Text("error"), StringComparison.Ordinal);
        return answer.Text("error");
    }
}
