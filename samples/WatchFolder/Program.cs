// Scores every photograph that arrives in a folder, and prints a line for each:
//     dotnet run --project samples/WatchFolder -- FOLDER CATEGORY [http://localhost:8080]
// The environment variable PADIM_KEY holds the key, if the service wants one. Ctrl+C ends it.
using PaDiM.Client;

const long Scored = -1;
var (folder, category) = (new DirectoryInfo(args[0]), args[1]);
var address = new Uri(args.ElementAtOrDefault(2) ?? "http://localhost:8080");
using var client = new PadimClient(address, Environment.GetEnvironmentVariable("PADIM_KEY"));
using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
var sizes = new Dictionary<string, long>();
do foreach (var file in folder.EnumerateFiles().OrderBy(file => file.Name))
{
    // Cameras write piece by piece: a file is whole once its size has stayed for a round.
    var before = sizes.GetValueOrDefault(file.Name);
    if (before == Scored || (sizes[file.Name] = file.Length) != before || before == 0)
        continue;
    sizes[file.Name] = Scored;
    try
    {
        var score = await client.ScoreAsync(category, ImageSource.FromFile(file.FullName));
        Console.WriteLine($"{file.Name} {score.Decision} {score.Score:0.000} of {score.Threshold:0.000}");
    }
    catch (PadimException problem)
    {
        Console.WriteLine($"{file.Name} {problem.Message}");
    }
}
while (await timer.WaitForNextTickAsync());
