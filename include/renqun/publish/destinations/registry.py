"""The destinations, one entry each. Figures are the platforms' own, as of the pages named beside them."""

from __future__ import annotations

from renqun.errors import RequestError
from renqun.publish.destinations.destination import Destination, NameLimit
from renqun.publish.destinations.identifiers import (
    DIGITS,
    E164,
    EMAIL,
    EMAIL_WITHOUT_SUFFIX,
    GOOGLE_EMAIL,
    MAINLAND,
    md5_of,
    sha256_of,
)

_MEBIBYTE = 1024 * 1024

CANONICAL = Destination(
    id="canonical",
    name_en="Canonical list",
    name_zh="标准人群名单",
    channel="none",
    kind="csv",
    columns=(("customer_key", "customer_key"), ("entered_on", "entered_on")),
    identifiers=(0,),
    minimum=0,
    note="Customer keys, no personal data: for the shop's own systems, which know the keys.",
)

META = Destination(
    id="meta",
    name_en="Meta Custom Audience",
    name_zh="Meta 自定义受众",
    channel="ads",
    kind="csv",
    columns=(("email", sha256_of(EMAIL)), ("phone", sha256_of(DIGITS))),
    identifiers=(0, 1),
    minimum=100,
    screens_names=True,
    note="At least 100 people have to match. Upload the full list as a replacement: who is missing from it is removed.",
    documentation=("facebook.com/business/help/2082575038703844",),
)

GOOGLE = Destination(
    id="google",
    name_en="Google Customer Match",
    name_zh="Google 目标客户匹配",
    channel="ads",
    kind="csv",
    columns=(
        ("Email", sha256_of(GOOGLE_EMAIL)),
        ("Phone", sha256_of(E164)),
        ("First Name", "cast(null as varchar)"),
        ("Last Name", "cast(null as varchar)"),
        ("Country", "cast(null as varchar)"),
        ("Zip", "cast(null as varchar)"),
    ),
    identifiers=(0, 1),
    minimum=100,
    screens_names=True,
    note="Memberships end after 540 days at most. Customers who refused advertising are not in the file.",
    documentation=("support.google.com/google-ads/answer/7659867", "support.google.com/google-ads/answer/7475964"),
)

TIKTOK = Destination(
    id="tiktok",
    name_en="TikTok customer file",
    name_zh="TikTok 客户文件",
    channel="ads",
    kind="csv",
    columns=(
        ("Email_SHA256", sha256_of(EMAIL_WITHOUT_SUFFIX)),
        ("Phone_SHA256", sha256_of(E164)),
        ("Phone_SHA256", sha256_of(DIGITS)),
    ),
    identifiers=(0, 1),
    minimum=1_000,
    screens_names=True,
    note="The platform has asked for phone numbers with and without a plus: both are given, a header may come thrice.",
    documentation=("ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file",),
)

TENCENT = Destination(
    id="tencent",
    name_en="Tencent Ads DMP",
    name_zh="腾讯广告 DMP",
    channel="ads",
    kind="zipped_lines",
    columns=(("HASH_MOBILE_PHONE", md5_of(MAINLAND)),),
    identifiers=(0,),
    bytes_per_file=100 * _MEBIBYTE,
    name_limit=NameLimit(32, "bytes"),
    has_deltas=True,
    note="user_id_type HASH_MOBILE_PHONE; operation_type APPEND with the append file, REDUCE with the reduce file.",
    documentation=("developers.e.qq.com/docs/audience_management/file",),
)

OCEANENGINE = Destination(
    id="oceanengine",
    name_en="Ocean Engine DMP",
    name_zh="巨量引擎 DMP",
    channel="ads",
    kind="oceanengine",
    columns=(("MOBILE_HASH_SHA256", sha256_of(MAINLAND)),),
    identifiers=(0,),
    name_limit=NameLimit(30, "characters"),
    has_deltas=True,
    note="data_format 0 (protocol buffer). The uploaded path ends after 14 days; publish at most once in 24 hours.",
    documentation=("open.oceanengine.com: DMP 人群管理 · 数据源文件上传",),
)

QIANCHUAN = Destination(
    id="qianchuan",
    name_en="Ocean Engine Qianchuan",
    name_zh="巨量千川",
    channel="ads",
    kind="lines",
    columns=(("phone_sha256", sha256_of(MAINLAND)),),
    identifiers=(0,),
    name_limit=NameLimit(30, "characters"),
    note="data_type 14: SHA-256 of the phone number.",
    documentation=("open.oceanengine.com: 千川 人群管理 · 上传人群文件",),
)

DAMOPAN = Destination(
    id="damopan",
    name_en="Damopan and Databank (through Quick Audience)",
    name_zh="达摩盘 / 品牌数据银行",
    channel="ads",
    kind="csv",
    columns=(("phone_sha256", sha256_of(MAINLAND)),),
    identifiers=(0,),
    minimum=2_001,
    maximum=49_999_999,
    note="Imported into Quick Audience as SHA-256 of phones, then pushed; more than 1,000 people have to match.",
    documentation=("help.aliyun.com/en/document_detail/420461.html", "help.aliyun.com/document_detail/306390.html"),
)

WECHAT_PAY = Destination(
    id="wechat_pay",
    name_en="WeChat Pay brand audience",
    name_zh="微信支付品牌人群包",
    channel="ads",
    kind="lines",
    columns=(("phone_md5", md5_of(MAINLAND)),),
    identifiers=(0,),
    suffix="csv",
    note="The SHA-256 of the file is sent along with it: it is in the manifest.",
    documentation=("pay.weixin.qq.com/doc/brand/4016183594",),
)

KLAVIYO = Destination(
    id="klaviyo",
    name_en="Klaviyo list",
    name_zh="Klaviyo 名单",
    channel="email",
    kind="csv",
    columns=(("Email", EMAIL), ("Phone Number", E164), ("Email Marketing Consent", "'Subscribed'")),
    identifiers=(0,),
    bytes_per_file=50 * _MEBIBYTE,
    note="Plain addresses of people who agreed. Whom Klaviyo suppresses stays suppressed: a list clears nothing.",
    documentation=("help.klaviyo.com/hc/articles/115005078967",),
)

BRAZE = Destination(
    id="braze",
    name_en="Braze attributes",
    name_zh="Braze 属性",
    channel="crm",
    kind="csv",
    columns=(("external_id", "customer_key"), ("email", EMAIL), ("phone", E164)),
    identifiers=(0,),
    bytes_per_file=500 * _MEBIBYTE,
    note="A blank overwrites nothing there.",
    documentation=("braze.com/docs: CSV import",),
)

SMS = Destination(
    id="sms",
    name_en="Text message list",
    name_zh="短信群发名单",
    channel="sms",
    kind="lines",
    columns=(("phone", MAINLAND),),
    identifiers=(0,),
    rows_per_file=50_000,
    note="Plain numbers of people who agreed; at most 50,000 a file.",
    documentation=("support.huaweicloud.com: 群发助手",),
)

DESTINATIONS: dict[str, Destination] = {
    one.id: one
    for one in (
        CANONICAL, META, GOOGLE, TIKTOK, TENCENT, OCEANENGINE, QIANCHUAN, DAMOPAN, WECHAT_PAY, KLAVIYO, BRAZE, SMS,
    )
}  # fmt: skip
"""Every destination by its id."""


def destination(destination_id: str) -> Destination:
    """A destination by its id.

    Raises:
        RequestError: there is none of that name.
    """
    if destination_id not in DESTINATIONS:
        raise RequestError(
            f"no destination is called {destination_id!r}",
            where="destinations",
            remedy=f"known destinations: {', '.join(DESTINATIONS)}",
        )
    return DESTINATIONS[destination_id]
