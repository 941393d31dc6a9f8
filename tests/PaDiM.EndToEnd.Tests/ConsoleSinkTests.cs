using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport.Parts;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>Sinks in the console.</summary>
public sealed partial class ConsoleSinkTests(PublishedService service, LocalBrowser local)
{
    [Fact]
    public async Task A_sink_is_set_up_tested_changed_and_deleted()
    {
        using var receiver = new WebhookReceiver();
        await using var browser = await local.OpenAsync(new Uri(service.Address, "/console/system"));
        var page = browser.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "New sink" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        var save = dialog.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Name" }).FillAsync("No Such Name!");
        await Expect(dialog).ToContainTextAsync("begin with a letter or a digit");
        foreach (var kind in new[] { "An MQTT broker", "A folder", "A web address" })
        {
            await dialog.GetByLabel(kind).CheckAsync();
            await page.ExpectAccessibleAsync();
        }
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Name" }).FillAsync("console-mes");
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Address" }).FillAsync(receiver.Address.ToString());
        await Expect(dialog.GetByRole(AriaRole.Textbox, new() { Name = "Secret" })).ToHaveValueAsync(Secret());
        await dialog.GetByLabel("Only these categories").FillAsync("one, Two");
        await save.ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("category name");
        await dialog.GetByLabel("Only these categories").FillAsync("one, two");
        await dialog.GetByLabel("Good", new() { Exact = true }).UncheckAsync();
        await save.ClickAsync();

        await Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("no address of the internet");
        await dialog.GetByLabel("The address is in our own network").CheckAsync();
        await save.ClickAsync();

        var row = page.GetByRole(AriaRole.Region, new() { Name = "Sinks" })
            .GetByRole(AriaRole.Row, new() { Name = "console-mes" });
        receiver.Status = 401;
        await row.GetByRole(AriaRole.Button, new() { Name = "Test" }).ClickAsync();
        await Expect(page.GetByText("console-mes did not take the test.")).ToBeVisibleAsync();
        receiver.Status = 204;
        await row.GetByRole(AriaRole.Button, new() { Name = "Test" }).ClickAsync();
        await Expect(page.GetByText("console-mes took the test")).ToBeVisibleAsync();

        await row.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await Expect(dialog.GetByLabel("Only these categories")).ToHaveValueAsync("one, two");
        await Expect(dialog.GetByLabel("Good", new() { Exact = true })).Not.ToBeCheckedAsync();
        await dialog.GetByLabel("Send new results").UncheckAsync();
        await save.ClickAsync();
        await Expect(row).ToContainTextAsync("off");
        await row.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_broker_and_a_folder_keep_what_the_form_does_not_show()
    {
        var mqtt = new JsonObject
        {
            ["host"] = "broker.example",
            ["user"] = "line",
            ["password"] = "secret",
            ["statusTopic"] = "plant/{replica}/state",
        };
        await service.Client.PutAsync(
            "/v1/sinks/console-plc",
            new JsonObject
            {
                ["enabled"] = false,
                ["timeoutSeconds"] = 7,
                ["mqtt"] = mqtt,
            }
        );
        await service.Client.PutAsync(
            "/v1/sinks/console-files",
            new JsonObject
            {
                ["enabled"] = false,
                ["folder"] = new JsonObject { ["maxFileBytes"] = 4096 },
            }
        );
        await using var browser = await local.OpenAsync(new Uri(service.Address, "/console/system"));
        var page = browser.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        foreach (
            var (name, field, value) in new[] { ("plc", "Topic", "plant/{part}"), ("files", "Days that are kept", "9") }
        )
        {
            await page.GetByRole(AriaRole.Row, new() { Name = $"console-{name}" })
                .GetByRole(AriaRole.Button, new() { Name = "Change" })
                .ClickAsync();
            await dialog.GetByLabel(field, new() { Exact = true }).FillAsync(value);
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
            await Expect(dialog).ToHaveCountAsync(0);
        }
        var broker = await service.Client.GetAsync("/v1/sinks/console-plc");
        var expected = mqtt.DeepClone().AsObject();
        expected.Remove("password");
        expected["hasPassword"] = true;
        expected["topic"] = "plant/{part}";
        foreach (var (name, value) in expected)
            Assert.Equal(value!.ToJsonString(), broker["mqtt"]![name]!.ToJsonString());
        Assert.Equal(7, (int)broker["timeoutSeconds"]!);
        var folder = (await service.Client.GetAsync("/v1/sinks/console-files"))["folder"]!;
        Assert.Equal((4096, 9), ((int)folder["maxFileBytes"]!, (int)folder["keepDays"]!));
        browser.StayedQuiet();
    }

    [Fact]
    public async Task What_a_sink_could_not_deliver_is_seen_and_sent_again()
    {
        await service.Client.PrepareSyntheticAsync("console-sink");
        using var receiver = new WebhookReceiver { Status = 422 };
        var webhook = new JsonObject
        {
            ["url"] = receiver.Address.ToString(),
            ["allowPrivate"] = true,
            ["secrets"] = new JsonArray("whsec_" + Convert.ToBase64String(new byte[32])),
        };
        await service.Client.PutAsync(
            "/v1/sinks/mes",
            new JsonObject { ["categories"] = new JsonArray("console-sink"), ["webhook"] = webhook }
        );
        await service.Client.InspectAsync("console-sink", SyntheticParts.Good(0).ToBmp(), "SN-4711");

        await using var browser = await local.OpenAsync(new Uri(service.Address, "/console/system"));
        var page = browser.Page;
        var sink = page.GetByRole(AriaRole.Region, new() { Name = "Sinks" }).GetByRole(AriaRole.Row).Last;
        await Expect(page.GetByText("Images in progress")).ToBeVisibleAsync();
        await sink.GetByRole(AriaRole.Button, new() { Name = "Test" }).ClickAsync();
        await Expect(page.GetByText("mes did not take the test.")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        await sink.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("SN-4711");
        await page.ExpectAccessibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete all" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("The receiver will never get them");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        receiver.Status = 204;
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Send all again" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("Everything has been delivered.");
        browser.StayedQuiet();
    }

    [GeneratedRegex("^whsec_[A-Za-z0-9+/]{43}=$")]
    private static partial Regex Secret();
}
