"""The headers of 生意参谋's files that the simulator writes."""

from __future__ import annotations

from renqun.simulate.layouts import names

ITEMS = names(
    "统计日期,商品ID,商品名称,主商品ID,商品类型,货号,商品状态,商品标签,商品访客数,商品浏览量,平均停留时长,"
    "商品详情页跳出率,商品收藏人数,商品加购件数,商品加购人数,下单买家数,下单件数,下单金额,下单转化率,支付买家数,"
    "支付件数,支付金额,商品支付转化率,支付新买家数,支付老买家数,老买家支付金额,聚划算支付金额,访客平均价值,"
    "成功退款金额,竞争力评分,年累计支付金额,月累计支付金额,月累计支付件数,搜索引导支付转化率,搜索引导访客数,"
    "搜索引导支付买家数,结构化详情引导转化率,结构化详情引导成交占比"
)
SHOP = (
    "统计日期",
    *(
        name
        for metric in names(
            "访客数,浏览量,商品收藏买家数,加购人数,支付金额,支付买家数,支付父订单数,支付子订单数,支付件数"
        )
        # Each figure stands once for all, once for computers and once for phones.
        for name in (metric, f"PC端{metric}", f"无线端{metric}")
    ),
    *names("下单金额,下单买家数,下单件数,支付转化率,客单价,UV价值,加购件数,成功退款金额,直通车消耗,淘宝客佣金"),
)
_SOURCE_METRICS = (
    "访客数,新访客,平均停留时长,3s查看人数,商品点击人数,加购人数,商品收藏人数,加购件数,关注店铺人数,支付买家数,"
    "支付转化率,支付金额,客单价,UV价值,下单买家数,下单金额,下单转化率"
)
SOURCES = (
    *("流量载体", "一级来源", "二级来源", "三级来源", "四级来源"),
    *(
        name
        for metric in names(_SOURCE_METRICS)
        # One of the changes is written in lower case, as in the real file.
        for name in (metric, f"{'uv价值' if metric == 'UV价值' else metric}环比")
    ),
)
