using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>
/// The distribution's own boto3, AWS's SDK for Python. Its version still knows Lookout for Vision. Tests that need it skip,
/// visibly, where it is absent.
/// </summary>
internal static class Boto3
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Why a test that needs it is skipped.</summary>
    public const string Missing =
        "boto3 is absent, or too new to know Lookout for Vision: install the package python3-boto3 of Debian 12.";

    private const string Frame = """
        import json, sys
        import boto3, botocore.config, botocore.exceptions

        given = json.load(sys.stdin)

        def connect(id, secret, token):
            return boto3.client(
                "lookoutvision", endpoint_url=given["address"], region_name="eu-west-1", aws_access_key_id=id,
                aws_secret_access_key=secret, aws_session_token=token,
                config=botocore.config.Config(retries={"max_attempts": 0}))

        vision = connect(given["id"], given["key"], given["key"])
        result = {}

        """;

    public static async Task<bool> IsPresentAsync()
    {
        try
        {
            await RunAsync(
                "import boto3\nassert 'lookoutvision' in boto3.session.Session().get_available_services()",
                ""
            );
            return true;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Runs a script, which finds a client in <c>vision</c>, and gets what it leaves in <c>result</c>.</summary>
    public static async Task<JsonNode> RunAsync(string script, object given) =>
        JsonNode.Parse(await RunAsync($"{Frame}{script}\nprint(json.dumps(result))", JsonSerializer.Serialize(given)))!;

    private static Task<string> RunAsync(string script, string input) =>
        Programs.RunAsync(
            new ProcessStartInfo(Python, ["-c", script])
            {
                // No proxy, no file with credentials, no service of a cloud's machines.
                Environment = { ["AWS_EC2_METADATA_DISABLED"] = "true", ["NO_PROXY"] = "*" },
            },
            input
        );
}
