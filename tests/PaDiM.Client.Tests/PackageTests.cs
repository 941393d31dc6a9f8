using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using PaDiM.Client.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>
/// Packs the client, looks into the package, and runs the documented walk in a program that has nothing but the package.
/// </summary>
public sealed class PackageTests(SharedService shared)
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <UseAppHost>false</UseAppHost>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <IsAotCompatible>true</IsAotCompatible>
            <JsonSerializerIsReflectionEnabledByDefault>false</JsonSerializerIsReflectionEnabledByDefault>
            <RestoreSources>$(MSBuildProjectDirectory)/packed</RestoreSources>
            <RestorePackagesPath>$(MSBuildProjectDirectory)/packages</RestorePackagesPath>
            <RestoreFallbackFolders>GLOBAL</RestoreFallbackFolders>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="PaDiM.Client" Version="*" />
          </ItemGroup>
        </Project>
        """;

    [Fact]
    public async Task The_package_is_complete_and_enough()
    {
        using var folder = new TempDirectory();
        var packed = folder.Combine("packed");
        await DotnetAsync(
            Repository.Root,
            ["pack", "src/PaDiM.Client", "-c", Built.Configuration, "--no-build", "-o", packed]
        );

        Assert.Single(Directory.GetFiles(packed, "*.snupkg"));
        await using (var package = await ZipFile.OpenReadAsync(Directory.GetFiles(packed, "*.nupkg").Single()))
        {
            var names = package.Entries.Select(entry => entry.FullName).ToArray();
            Assert.Contains("README.md", names);
            Assert.Contains("lib/net10.0/PaDiM.Client.dll", names);
            Assert.Contains("lib/net10.0/PaDiM.Client.xml", names);
            await using var about = await package.GetEntry("PaDiM.Client.nuspec")!.OpenAsync();
            var document = XDocument.Load(about);
            var dependencies = document.Descendants().Where(node => node.Name.LocalName == "dependency");
            Assert.Equal(
                ["Microsoft.Extensions.Http.Resilience"],
                dependencies.Select(dependency => dependency.Attribute("id")!.Value)
            );
        }

        var global =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await File.WriteAllTextAsync(
            folder.Combine("program.csproj"),
            Project.Replace("GLOBAL", global, StringComparison.Ordinal)
        );
        var walk = DocumentedWalk.Read("csharp", shared.Address, shared.NewName());
        await File.WriteAllTextAsync(folder.Combine("program.cs"), walk);
        await DotnetAsync(folder.Path, ["build", "-c", "Release", "-o", folder.Combine("built"), "-v", "q"]);
        await DocumentedWalk.WritePartsAsync(folder);
        var printed = await DotnetAsync(folder.Path, [folder.Combine("built/program.dll")]);
        Assert.Contains("anomalous", printed, StringComparison.Ordinal);
        Assert.True(new FileInfo(folder.Combine("heatmap.png")).Length > 100);
    }

    private static Task<string> DotnetAsync(string folder, string[] arguments) =>
        Programs.RunAsync(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder });
}
