//! A year of a busy account's CloudTrail files, made up: what `snapback backtest` is measured on.
//!
//! - Owns: the mix of records, their shapes, the layout in S3, the account's network at the end.
//! - Takes: how many records, where to, a seed.
//! - Gives: `DIR/AWSLogs/…/*.json.gz` and `DIR/live/*.json`; the same for the same seed.
//! - Must not: write below the repository.

mod network;

use crate::options::Options;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use network::Network;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-central-1";
/// Log files a day.
const FILES_A_DAY: u64 = 12;
const DAYS: u64 = 365;
/// One record in so many is a network write: the rest reads, and writes elsewhere.
const NETWORK_ONE_IN: u64 = 250;

/// Who calls: its `userIdentity`, source address and user agent as JSON members.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub role: Option<&'static str>,
    pub name: &'static str,
    pub agent: &'static str,
    pub console: bool,
}

impl Caller {
    fn members(&self) -> String {
        let Self { name, agent, .. } = self;
        let session =
            r#""attributes":{"creationDate":"2025-03-01T06:00:00Z","mfaAuthenticated":"false"}"#;
        let identity = match self.role {
            Some(role) => format!(
                r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE00:{name}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/{}/{name}","accountId":"{ACCOUNT}","accessKeyId":"ASIAEXAMPLEEXAMPLE00","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE00","arn":"arn:aws:iam::{ACCOUNT}:role/{role}","accountId":"{ACCOUNT}","userName":"{}"}},{session}}}}}"#,
                last(role),
                last(role)
            ),
            None => format!(
                r#"{{"type":"IAMUser","principalId":"AIDAEXAMPLEEXAMPLE00","arn":"arn:aws:iam::{ACCOUNT}:user/{name}","accountId":"{ACCOUNT}","accessKeyId":"AKIAEXAMPLEEXAMPLE00","userName":"{name}"}}"#
            ),
        };
        let console = match self.console {
            true => r#","sessionCredentialFromConsole":"true""#,
            false => "",
        };
        format!(
            r#""userIdentity":{identity},"sourceIPAddress":"198.51.100.{}","userAgent":"{agent}"{console}"#,
            name.len()
        )
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// One record.
pub(crate) struct Call<'a> {
    pub source: &'a str,
    pub name: &'a str,
    pub caller: Caller,
    pub request: String,
    pub response: String,
    pub error: Option<&'a str>,
    pub reads: bool,
}

/// A time in the year, `2025-03-01T00:00:00Z` and later.
fn time(second: u64) -> String {
    let (day, rest) = (second / 86_400, second % 86_400);
    let (month, day) = date(day);
    let year = if month > 12 { 2026 } else { 2025 };
    let month = if month > 12 { month - 12 } else { month };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Month (3 to 14) and day of a day counted from the first of March.
fn date(mut day: u64) -> (u64, u64) {
    let months = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28];
    for (month, days) in (3..).zip(months) {
        if day < days {
            return (month, day + 1);
        }
        day -= days;
    }
    (14, 28)
}

pub(crate) fn id(rng: &mut Rng) -> String {
    let (one, two) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        one >> 32,
        one >> 16 & 0xffff,
        one & 0xfff,
        two >> 48 & 0xfff,
        two & 0xffff_ffff_ffff
    )
}

impl Call<'_> {
    fn record(&self, second: u64, rng: &mut Rng) -> String {
        let error = match self.error {
            Some(code) => format!(
                r#","errorCode":"{code}","errorMessage":"You are not authorized to perform this operation.""#
            ),
            None => String::new(),
        };
        let response = if self.error.is_some() {
            "null"
        } else {
            &self.response
        };
        format!(
            r#"{{"eventVersion":"1.11",{},"eventTime":"{}","eventSource":"{}","eventName":"{}","awsRegion":"{REGION}"{error},"requestParameters":{},"responseElements":{response},"requestID":"{}","eventID":"{}","readOnly":{},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{}.{REGION}.amazonaws.com"}}}}"#,
            self.caller.members(),
            time(second),
            self.source,
            self.name,
            self.request,
            id(rng),
            id(rng),
            self.reads,
            self.source.split('.').next().unwrap_or("ec2"),
        )
    }
}

const SERVICE: Caller = Caller {
    role: Some("app/orders-service"),
    name: "i-0a1b2c3d4e5f60718",
    agent: "aws-sdk-java/2.29.1 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1 lang/java#21.0.5",
    console: false,
};
const LAMBDA: Caller = Caller {
    role: Some("service-role/report-lambda"),
    name: "report",
    agent: "Boto3/1.35.80 md/Botocore#1.35.80 ua/2.0 os/linux#5.10 exec-env/AWS_Lambda_python3.12",
    console: false,
};

/// What is no network write: (share, source, name, request, whether it reads).
const OTHERS: [(u64, &str, &str, &str, bool); 12] = [
    (
        220,
        "kms.amazonaws.com",
        "Decrypt",
        r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::orders/2025"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        true,
    ),
    (
        170,
        "sts.amazonaws.com",
        "AssumeRole",
        r#"{"roleArn":"arn:aws:iam::111122223333:role/app/orders-service","roleSessionName":"orders","durationSeconds":3600}"#,
        true,
    ),
    (
        140,
        "ec2.amazonaws.com",
        "DescribeInstances",
        r#"{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"tag:service","valueSet":{"items":[{"value":"orders"}]}}]}}"#,
        true,
    ),
    (
        90,
        "ec2.amazonaws.com",
        "DescribeSecurityGroups",
        r#"{"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{},"maxResults":500}"#,
        true,
    ),
    (
        70,
        "logs.amazonaws.com",
        "CreateLogStream",
        r#"{"logGroupName":"/aws/lambda/report","logStreamName":"2025/03/01/[$LATEST]0a1b2c3d"}"#,
        false,
    ),
    (
        70,
        "ssm.amazonaws.com",
        "UpdateInstanceInformation",
        r#"{"instanceId":"i-0a1b2c3d4e5f60718","agentVersion":"3.3.1611.0","agentStatus":"Active","platformType":"Linux"}"#,
        false,
    ),
    (
        60,
        "dynamodb.amazonaws.com",
        "DescribeTable",
        r#"{"tableName":"orders"}"#,
        true,
    ),
    (
        50,
        "elasticloadbalancing.amazonaws.com",
        "DescribeTargetHealth",
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/orders/0a1b2c3d4e5f6071"}"#,
        true,
    ),
    (
        40,
        "ecs.amazonaws.com",
        "SubmitTaskStateChange",
        r#"{"cluster":"prod","task":"0a1b2c3d4e5f","status":"RUNNING"}"#,
        false,
    ),
    (
        40,
        "s3.amazonaws.com",
        "GetBucketAcl",
        r#"{"bucketName":"orders","Host":"orders.s3.eu-central-1.amazonaws.com","acl":""}"#,
        true,
    ),
    (
        30,
        "ec2.amazonaws.com",
        "CreateTags",
        r#"{"resourcesSet":{"items":[{"resourceId":"i-0a1b2c3d4e5f60718"}]},"tagSet":{"items":[{"key":"patched","value":"yes"}]}}"#,
        false,
    ),
    (
        20,
        "ec2.amazonaws.com",
        "TerminateInstances",
        r#"{"instancesSet":{"items":[{"instanceId":"i-0a1b2c3d4e5f60718"}]}}"#,
        false,
    ),
];

fn other(rng: &mut Rng) -> Call<'static> {
    let mut at = rng.u64(..OTHERS.iter().map(|(share, ..)| share).sum::<u64>());
    let mut picked = &OTHERS[0];
    for other in &OTHERS {
        if at < other.0 {
            picked = other;
            break;
        }
        at -= other.0;
    }
    let (_, source, name, request, reads) = *picked;
    let denied = !reads && rng.u8(..) < 4;
    Call {
        source,
        name,
        caller: if rng.bool() { SERVICE } else { LAMBDA },
        request: request.to_owned(),
        response: "null".into(),
        error: denied.then_some("AccessDenied"),
        reads,
    }
}

/// Makes the files.
pub fn history(arguments: &[String]) -> Result<(), String> {
    let options = Options(arguments);
    let records: u64 = options.number("--records", 100_000)?;
    let seed = options.number("--seed", 1)?;
    let out = options.out()?;
    let mut rng = Rng::with_seed(seed);
    let mut network = Network::new(&mut rng);
    let files = FILES_A_DAY * DAYS;
    let mut late: Vec<String> = Vec::new();
    let mut made = 0;
    for file in 0..files {
        let (from, span) = (file * 86_400 / FILES_A_DAY, 86_400 / FILES_A_DAY);
        let wanted = records * (file + 1) / files - made;
        let mut seconds: Vec<u64> = (0..wanted).map(|_| from + rng.u64(..span)).collect();
        seconds.sort_unstable();
        let mut lines = std::mem::take(&mut late);
        made += wanted;
        let mut written = Vec::with_capacity(lines.len() + seconds.len());
        written.append(&mut lines);
        for second in seconds {
            let call = match rng.u64(..NETWORK_ONE_IN) {
                0 => network.call(&mut rng),
                _ => other(&mut rng),
            };
            let record = call.record(second, &mut rng);
            // One in 400 is delivered twice, the second time in the next file.
            if rng.u64(..400) == 0 {
                late.push(record.clone());
            }
            written.push(record);
        }
        // Files are in no order (cloudtrail-shapes.md 1).
        if file % 2 == 0 {
            rng.shuffle(&mut written);
        }
        write(&path(&out, file, &mut rng), &written)?;
    }
    network.write(&out.join("live"))?;
    eprintln!("{records} records in {files} files below {}", out.display());
    Ok(())
}

fn path(out: &Path, file: u64, rng: &mut Rng) -> PathBuf {
    let stamp = time(file * 86_400 / FILES_A_DAY);
    let digits: String = stamp
        .chars()
        .filter(char::is_ascii_digit)
        .take(12)
        .collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    let name = format!(
        "{ACCOUNT}_CloudTrail_{REGION}_{}T{}Z_{:016x}.json.gz",
        part(0, 8),
        part(8, 12),
        rng.u64(..)
    );
    let folder = out
        .join("AWSLogs")
        .join(ACCOUNT)
        .join("CloudTrail")
        .join(REGION);
    folder
        .join(part(0, 4))
        .join(part(4, 6))
        .join(part(6, 8))
        .join(name)
}

fn write(path: &Path, records: &[String]) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut gzip = GzEncoder::new(std::fs::File::create(path)?, Compression::fast());
        gzip.write_all(br#"{"Records":["#)?;
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                gzip.write_all(b",")?;
            }
            gzip.write_all(record.as_bytes())?;
        }
        gzip.write_all(b"]}")?;
        gzip.finish()?;
        Ok(())
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}
