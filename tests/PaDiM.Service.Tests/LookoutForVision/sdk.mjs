// Everything that a line calls, through AWS's SDK for JavaScript. Reads what it is given from standard input as JSON.
import { createReadStream, readFileSync } from 'node:fs';
import {
    DescribeModelCommand,
    DescribeProjectCommand,
    DetectAnomaliesCommand,
    ListModelsCommand,
    LookoutVisionClient,
    paginateListProjects,
    ResourceNotFoundException,
    StartModelCommand,
    StopModelCommand,
} from '@aws-sdk/client-lookoutvision';

const given = JSON.parse(readFileSync(0, 'utf8'));
const client = new LookoutVisionClient({
    endpoint: given.address,
    region: 'eu-west-1',
    credentials: { accessKeyId: given.id, secretAccessKey: given.key, sessionToken: given.key },
    maxAttempts: 1,
});
const project = { ProjectName: 'flange' };
const model = { ...project, ModelVersion: '1' };
const send = command => client.send(command);

async function detect(version, body) {
    const request = { ...project, ModelVersion: version, ContentType: 'image/png', Body: body };
    return (await send(new DetectAnomaliesCommand(request))).DetectAnomalyResult;
}

const result = { projects: [] };
for await (const page of paginateListProjects({ client, pageSize: 1 }, {}))
    result.projects.push(...page.Projects.map(one => one.ProjectName));
result.created = (await send(new DescribeProjectCommand(project))).ProjectDescription.CreationTimestamp.getUTCFullYear();
result.models = (await send(new ListModelsCommand(project))).Models.map(one => one.ModelVersion);
result.start = (await send(new StartModelCommand({ ...model, MinInferenceUnits: 1 }))).Status;
result.hosted = (await send(new DescribeModelCommand(model))).ModelDescription.Status;
const found = await detect('1', readFileSync(given.image));
result.anomalous = found.IsAnomalous;
result.confidence = found.Confidence;
result.mask = Buffer.from(found.AnomalyMask.slice(1, 4)).toString();
result.latest = (await detect('latest', createReadStream(given.image))).Confidence;
result.stop = (await send(new StopModelCommand(model))).Status;
result.stopped = (await send(new DescribeModelCommand(model))).ModelDescription.Status;
try {
    await detect('7', readFileSync(given.image));
} catch (error) {
    result.missing = error instanceof ResourceNotFoundException ? error.ResourceType : error.name;
}
try {
    client.config.credentials = async () => ({ accessKeyId: given.id, secretAccessKey: 'wrong', sessionToken: given.key });
    await send(new DescribeModelCommand(model));
} catch (error) {
    result.wrong = error.name;
}
console.log(JSON.stringify(result));
